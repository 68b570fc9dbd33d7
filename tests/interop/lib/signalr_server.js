// An ASP.NET Core SignalR hub, as much of it as its JavaScript client needs: negotiation, the three transports, the JSON
// hub protocol. A connection lives on the server that negotiated it: another answers 404, as the real one does.
// https://github.com/dotnet/aspnetcore/tree/main/src/SignalR/docs/specs

import { randomUUID } from 'node:crypto';
import { WebSocketServer } from 'ws';
import { bodyOf, httpServer } from './servers.js';

const kEnd = '\x1e';
const kTransports = ['WebSockets', 'ServerSentEvents', 'LongPolling'].map((transport) => ({
  transport,
  transferFormats: ['Text', 'Binary'],
}));

// The hub's side of one connection: messages come in by take(), go out by send(), which a transport sets.
class Connection {
  id = randomUUID();
  send = null;
  #waiting = [];
  #greeted = false;

  constructor(name) {
    this.name = name;
  }

  out(message) {
    const text = JSON.stringify(message) + kEnd;
    if (this.send) this.send(text);
    else this.#waiting.push(text);
  }

  attach(send) {
    this.send = send;
    const text = this.#waiting.splice(0).join('');
    if (text) send(text);
  }

  take(text) {
    for (const part of text.split(kEnd).filter(Boolean)) this.#handle(JSON.parse(part));
  }

  #handle(message) {
    if (!this.#greeted) {
      this.#greeted = true;
      return this.out({});
    }
    const { type, invocationId, target, arguments: args } = message;
    if (type === 6) return this.out({ type: 6 });
    if (type === 1 && target === 'Who') this.out({ type: 3, invocationId, result: this.name });
    if (type === 1 && target === 'Echo') this.out({ type: 3, invocationId, result: args[0] });
    if (type === 1 && target === 'Fail') this.out({ type: 3, invocationId, error: 'no such luck' });
    if (type === 1 && target === 'Poke') this.out({ type: 1, target: 'Poked', arguments: args });
    if (type === 4) {
      for (let item = 1; item <= args[0]; ++item) this.out({ type: 2, invocationId, item });
      this.out({ type: 3, invocationId });
    }
  }
}

export async function signalRServer(rig, name) {
  const connections = new Map();
  let strangers = 0;
  const find = (request) => {
    const found = connections.get(new URL(request.url, 'http://app').searchParams.get('id'));
    if (!found) strangers += 1;
    return found;
  };
  const poll = (connection, answer) => {
    if (!connection.polled) {
      connection.polled = true; // the first poll only says that the transport stands
      return answer.writeHead(200).end();
    }
    const give = (text) => {
      connection.send = null;
      // 204 tells the client that no further poll is wanted.
      if (connection.closed) answer.writeHead(204).end();
      else answer.writeHead(200, { 'Content-Type': 'text/plain' }).end(text);
    };
    if (connection.closed) return give('');
    answer.on('close', () => {
      if (connection.send === give) connection.send = null;
    });
    connection.attach(give);
  };
  const server = await httpServer(rig, async (request, answer) => {
    if (request.url.startsWith('/hub/negotiate')) {
      const connection = new Connection(name);
      connections.set(connection.id, connection);
      answer.setHeader('Content-Type', 'application/json').end(
        JSON.stringify({
          negotiateVersion: 1,
          connectionId: randomUUID(),
          connectionToken: connection.id,
          availableTransports: kTransports,
        }),
      );
      return;
    }
    const connection = find(request);
    if (!connection) return void answer.writeHead(404).end('No Connection with that ID');
    if (request.method === 'POST') {
      const body = await bodyOf(request);
      answer.writeHead(200).end();
      connection.take(body.toString());
    } else if (request.method === 'DELETE') {
      connection.closed = true;
      answer.writeHead(202).end();
      connection.send?.('');
    } else if (request.headers.accept === 'text/event-stream') {
      answer.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('\r\n');
      connection.attach((text) => answer.write(`data: ${text}\r\n\r\n`));
    } else {
      poll(connection, answer);
    }
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    const connection = find(request);
    if (!connection)
      return socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    sockets.handleUpgrade(request, socket, head, (made) => {
      made.on('error', () => {});
      connection.attach((text) => made.send(text));
      made.on('message', (data) => connection.take(data.toString()));
    });
  });
  return Object.assign(server, { name, strangers: () => strangers });
}
