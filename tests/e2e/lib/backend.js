// A backend that does nothing by itself: the test takes its connections and writes every byte.

import net from 'node:net';
import { Changes, within } from './deadline.js';
import { Peer } from './peer.js';

export class RawBackend {
  dialled = 0; // connections accepted so far; the rig ends them
  #waiting = [];
  #changes = new Changes();
  #rig;

  // options.port and options.host, or options.path for a unix socket. options.onPeer takes each connection instead of accept().
  static async listen(rig, options = {}) {
    const backend = new RawBackend();
    backend.#rig = rig;
    const host = options.host ?? '127.0.0.1';
    const where = options.path ? { path: options.path } : { host, port: options.port ?? 0 };
    backend.server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      backend.#accepted(socket, options.onPeer),
    );
    await within(
      new Promise((resolve, reject) => {
        backend.server.once('error', reject);
        backend.server.listen(where, resolve);
      }),
      'the backend listens',
    );
    backend.port = options.path ? undefined : backend.server.address().port;
    backend.address = options.path ? `unix:${options.path}` : `${host}:${backend.port}`;
    rig.defer(() => backend.close());
    return backend;
  }

  #accepted(socket, onPeer) {
    this.dialled += 1;
    const peer = new Peer(socket, 'backend');
    this.#rig.keep(peer);
    if (onPeer) onPeer(peer);
    else this.#waiting.push(peer);
    this.#changes.touch();
  }

  // The next connection nobody took yet.
  async accept(ms) {
    return this.#changes.until(() => this.#waiting.shift(), 'the backend is dialled', ms);
  }

  // Nobody listens any more once this resolves. The connections are the rig's.
  close() {
    this.server.close();
    return new Promise((resolve) => setImmediate(resolve));
  }
}

// A port on which nobody listens: connecting to it is refused.
export async function deadPort() {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
