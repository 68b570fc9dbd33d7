// `ws` clients and servers with the rig's clean-up and deadlines.

import { createHash, randomBytes } from 'node:crypto';
import { WebSocket, WebSocketServer } from 'ws';
import { Changes, within } from './deadline.js';

export const sha = (bytes) => createHash('sha256').update(bytes).digest('hex');

// A ws client that keeps what it received: { messages: [{ data, binary }], pings, pongs, closed: { code, reason } }.
export class Client {
  messages = [];
  pings = [];
  pongs = [];
  closed = null;
  #changes = new Changes();

  constructor(socket) {
    this.socket = socket;
    const note = (event, keep) =>
      socket.on(event, (...args) => {
        keep(...args);
        this.#changes.touch();
      });
    note('message', (data, binary) => this.messages.push({ data: Buffer.from(data), binary }));
    note('ping', (data) => this.pings.push(data.toString()));
    note('pong', (data) => this.pongs.push(data.toString()));
    note('error', (error) => {
      this.error = error;
    });
    note('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
    });
  }

  // protocols and options as `new WebSocket` takes them. Certificates are not checked.
  static async open(rig, url, protocols = [], options = {}) {
    const socket = new WebSocket(url, protocols, { rejectUnauthorized: false, ...options });
    rig.keep({ destroy: () => socket.terminate() });
    const client = new Client(socket);
    await within(
      new Promise((resolve, reject) => {
        socket.once('open', resolve);
        socket.once('error', reject);
        socket.once('unexpected-response', (_, answer) =>
          reject(new Error(`answered ${answer.statusCode}`)),
        );
      }),
      `open ${url}`,
    );
    return client;
  }

  send(data, options) {
    this.socket.send(data, options ?? {});
  }

  // The n-th message (from 0), once it is there.
  message(n, ms) {
    return this.until(() => this.messages[n], `message ${n}`, ms);
  }

  until(predicate, what, ms) {
    return this.#changes.until(
      () => {
        const value = predicate();
        if (!value && this.closed && what !== 'closed')
          throw new Error(`closed ${JSON.stringify(this.closed)} before: ${what}`);
        return value;
      },
      what,
      ms,
    );
  }

  close(code, reason) {
    this.socket.close(code, reason);
  }

  untilClosed(ms) {
    return this.until(() => this.closed, 'closed', ms);
  }
}

// A ws server on a port of its own, or that of an http `server`. onSession(socket, request) for each session; default: echo.
export async function wsServer(rig, { onSession = echo, ...options } = {}) {
  const server = new WebSocketServer({
    ...(options.server ? {} : { host: '127.0.0.1', port: 0 }),
    maxPayload: 0,
    ...options,
  });
  rig.keep({ destroy: () => server.clients.forEach((one) => one.terminate()) });
  rig.defer(() => server.close());
  server.on('connection', (socket, request) => {
    socket.on('error', () => {});
    onSession(socket, request);
  });
  if (!options.server)
    await within(
      new Promise((resolve) => server.once('listening', resolve)),
      'the ws server listens',
    );
  server.address = `127.0.0.1:${server.address().port}`;
  return server;
}

export function echo(socket) {
  socket.on('message', (data, binary) => socket.send(data, { binary }));
}

export const random = randomBytes;
