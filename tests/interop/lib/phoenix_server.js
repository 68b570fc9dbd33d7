// A server of Phoenix's channels: serializer 2.0.0, messages [join_ref, ref, topic, event, payload]. Servers given the
// same `topics` (a Map) are one cluster.

import { WebSocketServer } from 'ws';
import { httpServer } from './servers.js';

// A binary push: [0, sizes of join_ref, ref, topic and event, those as text, payload].
function decodeBinary(data) {
  const parts = [];
  let at = 5;
  for (const size of data.subarray(1, 5)) {
    parts.push(data.subarray(at, at + size).toString());
    at += size;
  }
  return [...parts, data.subarray(at)];
}

// A binary broadcast: [2, sizes of topic and event, those as text, payload].
function encodeBinary(topic, event, payload) {
  return Buffer.concat([
    Buffer.from([2, topic.length, event.length]),
    Buffer.from(topic + event),
    payload,
  ]);
}

export async function phoenixServer(rig, topics) {
  const server = await httpServer(rig);
  server.heartbeats = 0;
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    const query = new URL(request.url, 'http://app').searchParams;
    if (query.get('token') !== 'right') {
      // UserSocket.connect answered :error
      return socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    }
    sockets.handleUpgrade(request, socket, head, (made) => session(made));
  });

  function session(socket) {
    const joined = new Map(); // topic -> deliver
    const leave = (topic) => {
      topics.get(topic)?.delete(joined.get(topic));
      joined.delete(topic);
    };
    const join = (topic) => {
      const deliver = (event, payload) =>
        socket.send(
          Buffer.isBuffer(payload)
            ? encodeBinary(topic, event, payload)
            : JSON.stringify([null, null, topic, event, payload]),
        );
      joined.set(topic, deliver);
      topics.set(topic, (topics.get(topic) ?? new Set()).add(deliver));
    };
    const handle = (topic, event, payload) => {
      if (event === 'heartbeat') server.heartbeats += 1;
      if (event === 'phx_join' && payload.secret === 'wrong')
        return ['error', { reason: 'unauthorized' }];
      if (event === 'phx_join') join(topic);
      if (event === 'phx_leave') leave(topic);
      if (event === 'shout') for (const deliver of topics.get(topic) ?? []) deliver(event, payload);
      return ['ok', Buffer.isBuffer(payload) ? {} : { you_said: payload }];
    };
    socket.on('error', () => {});
    socket.on('close', () => [...joined.keys()].forEach(leave));
    socket.on('message', (data, binary) => {
      const [joinRef, ref, topic, event, payload] = binary ? decodeBinary(data) : JSON.parse(data);
      const [status, response] = handle(topic, event, payload);
      socket.send(JSON.stringify([joinRef, ref, topic, 'phx_reply', { status, response }]));
    });
  }
  rig.defer(() => sockets.clients.forEach((one) => one.terminate()));
  return server;
}
