// A server as a process of its own: node server.js PORT. It agrees to every handshake; a path /s/ID is a session that
// is accounted for: each message must be the one that is due, each is answered with one of its own that tells how
// many have come, and when the session ends the parent is told { session, received, sent }. /echo echoes. Any other
// says nothing.

import net from 'node:net';
import { acceptKey } from '../e2e/lib/frames.js';
import { End, chance, content } from './lib.js';

const open = new Set();

const server = net.createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => {});
  let bytes = Buffer.alloc(0);
  const take = (piece) => {
    bytes = Buffer.concat([bytes, piece]);
    const size = bytes.indexOf('\r\n\r\n');
    if (size < 0) return;
    socket.off('data', take);
    agree(socket, bytes.subarray(0, size).toString('latin1'), bytes.subarray(size + 4));
  };
  socket.on('data', take);
});

function agree(socket, head, rest) {
  const key = head.match(/^sec-websocket-key: (\S+)/im)[1];
  const target = head.split(' ')[1];
  socket.write(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      `Sec-WebSocket-Accept: ${acceptKey(key)}\r\nX-Server: 127.0.0.1:${server.address().port}\r\n\r\n`,
  );
  const session = Number(target.match(/^\/s\/(\d+)$/)?.[1]);
  if (session) return new Account(socket, session).end.open(rest);
  const end = new End(socket, false, {
    message: (payload) => target === '/echo' && end.frame({ op: 2, payload }),
    close: (code, payload) => end.answerClose(payload),
    ended: () => {},
  });
  return end.open(rest);
}

class Account {
  received = 0;
  sent = 0;
  closed = false;

  constructor(socket, session) {
    this.session = session;
    open.add(this);
    this.end = new End(socket, false, {
      message: (payload) => this.#message(payload.toString()),
      close: (code, payload) => {
        this.closed = true;
        this.end.answerClose(payload);
      },
      ended: () => {
        open.delete(this);
        process.send({ session, received: this.received, sent: this.sent });
      },
    });
  }

  #message(text) {
    const due = content(this.session, 'up', this.received);
    if (text !== due || this.closed)
      process.send({ problem: `session ${this.session}: got ${text.slice(0, 60)} instead of ${due.slice(0, 60)}` });
    this.received += 1;
    this.say();
  }

  say() {
    if (this.closed) return;
    this.end.message(
      Buffer.from(`${this.received} ${content(this.session, 'down', this.sent)}`),
    );
    this.sent += 1;
  }
}

// Servers speak unasked, too.
setInterval(() => {
  for (const account of open) if (chance(0.03)) account.say();
}, 200);

process.on('disconnect', () => process.exit(0)); // the parent is gone
server.listen(Number(process.argv[2]), '127.0.0.1', 4096, () =>
  process.send({ port: server.address().port }),
);
