// Peers that do not read: what Fairlead holds for them is bounded, and its patience too.

import assert from 'node:assert/strict';
import path from 'node:path';
import { Changes } from './lib/deadline.js';
import { Op } from './lib/frames.js';
import { scenario } from './lib/rig.js';
import { random, sha } from './lib/sockets.js';

// Both hops over unix sockets: their kernel buffers are small, so that what Fairlead holds shows.
async function unixSession(rig, settings = {}) {
  const backend = await rig.backend({ path: path.join(rig.directory(), 'backend.sock') });
  const address = `unix:${path.join(rig.directory(), 'front.sock')}`;
  const fairlead = await rig.run({ servers: [backend.address], address, ...settings });
  const connect = { target: { path: address.slice('unix:'.length) } };
  return { fairlead, ...(await rig.session(fairlead, backend, { connect })) };
}

// Sends the frame's bytes piece by piece, and how many the kernel took until nothing moved for `still` ms.
async function pump(peer, bytes, still = 1000) {
  const changes = new Changes();
  const state = { accepted: 0, done: false };
  (async () => {
    for (let at = 0; at < bytes.length; at += 16 * 1024) {
      const piece = bytes.subarray(at, at + 16 * 1024);
      await peer.send(piece);
      state.accepted += piece.length;
      changes.touch();
    }
    state.done = true;
    changes.touch();
  })();
  for (let last = -1; last !== state.accepted && !state.done;) {
    last = state.accepted;
    await changes.until(() => state.accepted !== last, '', still).catch(() => {});
  }
  return { state, untilDone: (ms) => changes.until(() => state.done, 'all is sent', ms) };
}

for (const direction of ['to the backend', 'to the client']) {
  scenario(
    `a reader that stops makes its sender stop, ${direction}, and nothing is lost`,
    async (rig) => {
      const { client, server } = await unixSession(rig, {
        websocket: 'max_message = "off"\nping_interval = "off"',
      });
      const [sender, reader] = direction === 'to the backend' ? [client, server] : [server, client];
      reader.socket.pause();
      const whole = sender.build({
        op: Op.binary,
        payload: random(16 * 1024 * 1024),
        mask: sender.role === 'client' ? [0, 0, 0, 0] : false,
      });
      const { state, untilDone } = await pump(sender, whole);
      assert.ok(
        !state.done && state.accepted < 4 * 1024 * 1024,
        `taken without a reader: ${state.accepted} bytes`,
      );
      // The other direction goes on meanwhile.
      reader.sendText('still here');
      await sender.expectText('still here');
      reader.socket.resume();
      assert.equal(sha(await reader.read(whole.length, 30_000)), sha(whole));
      await untilDone();
    },
  );
}

scenario(
  'write_stall: a client that takes nothing is given up, the backend gets 1001',
  async (rig) => {
    const { fairlead, client, server } = await unixSession(rig, {
      timeouts: 'write_stall = "500ms"',
      websocket: 'ping_interval = "off"',
    });
    client.socket.pause();
    server.send(server.build({ op: Op.binary, payload: Buffer.alloc(8 * 1024 * 1024) }));
    await server.expectClose(1001);
    server.end();
    const entry = await fairlead.waitForClose();
    assert.equal(entry.reason, 'slow_client');
  },
);

scenario(
  'write_stall: a backend that takes nothing is given up, the client gets 1011',
  async (rig) => {
    const { fairlead, client, server } = await unixSession(rig, {
      timeouts: 'write_stall = "500ms"',
      websocket: 'ping_interval = "off"\nmax_message = "off"',
    });
    server.socket.pause();
    client.send(client.build({ op: Op.binary, payload: Buffer.alloc(8 * 1024 * 1024) }));
    await client.expectClose(1011);
    client.destroy();
    const entry = await fairlead.waitForClose();
    assert.equal(entry.reason, 'slow_backend');
  },
);
