// HTTP servers in the test's own process that can die like a crashed one.

import http from 'node:http';
import { within } from '../../e2e/lib/deadline.js';

// `handler` as http.createServer takes it; `die()` drops every connection without a word and stops listening.
export async function httpServer(rig, handler) {
  const server = http.createServer(handler);
  const sockets = new Set();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  server.die = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  rig.defer(server.die);
  await within(
    new Promise((resolve) => server.listen(0, '127.0.0.1', resolve)),
    'an HTTP server listens',
  );
  server.where = `127.0.0.1:${server.address().port}`;
  return server;
}

// A request's whole body.
export async function bodyOf(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}
