// A STOMP 1.2 server over WebSocket, as much of it as a chat needs. Servers given the same `topics` (a Map) are one
// broker. https://stomp.github.io/stomp-specification-1.2.html

import { WebSocketServer } from 'ws';
import { httpServer } from './servers.js';

const kEscapes = { '\\': '\\\\', '\r': '\\r', '\n': '\\n', ':': '\\c' };
const escape = (text) => String(text).replace(/[\\\r\n:]/g, (one) => kEscapes[one]);
const unescape = (text) =>
  text.replace(
    /\\[\\rnc]/g,
    (two) => ({ '\\\\': '\\', '\\r': '\r', '\\n': '\n', '\\c': ':' })[two],
  );

function build(command, headers = {}, body = Buffer.alloc(0)) {
  const lines = Object.entries(headers).map(([name, value]) => `${escape(name)}:${escape(value)}`);
  return Buffer.concat([
    Buffer.from([command, ...lines, '', ''].join('\n')),
    body,
    Buffer.from([0]),
  ]);
}

// One frame: stompjs sends each in a message of its own.
function parse(data) {
  const end = data.indexOf('\n\n');
  const [command, ...lines] = data.subarray(0, end).toString().split('\n');
  const headers = {};
  for (const line of lines) {
    const at = line.indexOf(':');
    headers[unescape(line.slice(0, at))] ??= unescape(line.slice(at + 1));
  }
  return { command, headers, body: data.subarray(end + 2, data.lastIndexOf(0)) };
}

export async function stompServer(rig, topics, { beat = 10_000 } = {}) {
  const server = await httpServer(rig);
  const sockets = new WebSocketServer({
    server,
    path: '/stomp',
    handleProtocols: (offered) => (offered.has('v12.stomp') ? 'v12.stomp' : false),
  });
  server.acknowledged = [];
  server.beats = 0; // of clients
  let messages = 0;
  sockets.on('connection', (socket) => {
    const subscriptions = new Map(); // id -> { destination, deliver }
    const send = (...frame) => socket.send(build(...frame));
    const beating = setInterval(() => socket.send('\n'), beat);
    const leave = (id) => {
      const { destination, deliver } = subscriptions.get(id) ?? {};
      topics.get(destination)?.delete(deliver);
      subscriptions.delete(id);
    };
    socket.on('error', () => {});
    socket.on('close', () => {
      clearInterval(beating);
      for (const id of [...subscriptions.keys()]) leave(id);
    });
    const handlers = {
      CONNECT: ({ login }) => {
        if (login === 'nobody') {
          send('ERROR', { message: 'Access refused' });
          socket.close(1002, 'Access refused');
        } else {
          send('CONNECTED', { version: '1.2', 'heart-beat': `${beat},${beat}` });
        }
      },
      SUBSCRIBE: ({ id, destination }) => {
        const deliver = (headers, body) => {
          messages += 1;
          const own = { subscription: id, 'message-id': messages, ack: messages, destination };
          send('MESSAGE', { ...headers, ...own, 'content-length': body.length }, body);
        };
        subscriptions.set(id, { destination, deliver });
        topics.set(destination, (topics.get(destination) ?? new Set()).add(deliver));
      },
      UNSUBSCRIBE: ({ id }) => leave(id),
      SEND: ({ destination, receipt, ...headers }, body) => {
        for (const deliver of topics.get(destination) ?? []) deliver(headers, body);
      },
      ACK: ({ id }) => server.acknowledged.push(id),
      DISCONNECT: () => {},
    };
    socket.on('message', (data) => {
      if (data.length === 1) return void (server.beats += 1);
      const { command, headers, body } = parse(data);
      handlers[command](headers, body);
      if (headers.receipt) send('RECEIPT', { 'receipt-id': headers.receipt });
    });
  });
  return server;
}
