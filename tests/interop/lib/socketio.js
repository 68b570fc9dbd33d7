// Socket.IO 4: servers that say who they are, clients that stay or fall.

import { Server } from 'socket.io';
import { io } from 'socket.io-client';
import { Changes } from '../../e2e/lib/deadline.js';
import { httpServer } from './servers.js';

// Answers `who` with its name, `echo` with what it got, `join`s rooms and speaks `to` them. `strangers` counts requests with a session
// id that this server does not know: each is one that went astray.
export async function socketIoServer(rig, name, options = {}) {
  const http = await httpServer(rig);
  const server = new Server(http, { serveClient: false, pingInterval: 300, ...options });
  const app = { name, http, server, where: http.where, strangers: 0, die: http.die };
  server.engine.on('connection_error', (error) => {
    if (error.code === 1) app.strangers += 1; // "Session ID unknown"
  });
  server.on('connection', (socket) => {
    socket.on('who', (answer) => answer(name));
    socket.on('echo', (value, answer) => answer(value));
    socket.on('join', async (room, answer) => {
      await socket.join(room);
      answer();
    });
    socket.on('to', (room, text) => server.to(room).emit('said', text));
    socket.on('leave me', () => socket.disconnect(true));
  });
  rig.defer(() => server.close());
  return app;
}

export class IoClient {
  said = [];
  ends = []; // why the connection ended, each time
  errors = []; // of connecting
  connects = 0;
  transport = ''; // the one in use now
  #changes = new Changes();

  constructor(rig, url, options) {
    this.socket = io(url, {
      forceNew: true,
      reconnectionDelay: 20,
      reconnectionDelayMax: 100,
      rejectUnauthorized: false,
      ...options,
    });
    rig.defer(() => this.socket.disconnect());
    const note = (emitter, event, keep) =>
      emitter.on(event, (...args) => {
        keep(...args);
        this.#changes.touch();
      });
    note(this.socket, 'connect', () => {
      this.connects += 1;
      const { engine } = this.socket.io;
      this.transport = engine.transport.name;
      note(engine, 'upgrade', (transport) => (this.transport = transport.name));
    });
    note(this.socket, 'said', (text) => this.said.push(text));
    note(this.socket, 'disconnect', (reason) => this.ends.push(reason));
    note(this.socket, 'connect_error', (error) => this.errors.push(String(error.message)));
  }

  until(predicate, what) {
    return this.#changes.until(
      predicate,
      () =>
        `${what}; ${this.connects} connects, ends: ${this.ends.slice(-5)}, errors: ${this.errors.slice(-5)}`,
    );
  }

  connected(times = 1) {
    return this.until(() => this.connects >= times, `connected ${times} times`);
  }

  using(transport) {
    return this.until(() => this.transport === transport, `using ${transport}`);
  }

  ask(...args) {
    return this.socket.timeout(10_000).emitWithAck(...args);
  }
}
