// gorilla/websocket, the WebSocket library of most Go programs: in websocketd, and (where there is a Go toolchain, which
// is too heavy for every CI run) at both ends of a conversation.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { scenario } from '../e2e/lib/rig.js';
import { Client } from '../e2e/lib/sockets.js';
import { Child, needs, serve } from './lib/child.js';
import { front } from './lib/front.js';

const kSource = fileURLToPath(new URL('lib/gorilla.go', import.meta.url));
const kLibrary = '/usr/share/gocode/src/github.com/gorilla/websocket';

const websocketd = (rig, args) =>
  serve(rig, (port) => ({
    command: 'websocketd',
    args: ['--address=127.0.0.1', `--port=${port}`, ...args],
  }));

scenario(
  'websocketd runs a program for each session',
  needs('websocketd', 'websocketd'),
  async (rig) => {
    const servers = [
      await websocketd(rig, ['--sameorigin=true', 'cat']),
      await websocketd(rig, ['--sameorigin=true', 'cat']),
    ];
    const app = await front(
      rig,
      servers.map((one) => one.where),
    );
    for (let i = 0; i < 2; ++i) {
      const client = await Client.open(rig, app.ws('/'), [], { origin: app.origin });
      for (const [n, text] of ['grüße 😀', 'x'.repeat(50_000)].entries()) {
        client.send(text); // a line for the program, and one back
        assert.equal((await client.message(n)).data.toString(), text);
      }
      client.close(1000);
      await client.untilClosed();
    }
    await app.allUsed();
  },
);

scenario(
  'its binary mode, and a program that ends',
  needs('websocketd', 'websocketd'),
  async (rig) => {
    const servers = [];
    for (let i = 0; i < 2; ++i)
      servers.push(await websocketd(rig, ['--binary=true', 'head', '-c', '4']));
    const app = await front(
      rig,
      servers.map((one) => one.where),
    );
    const client = await Client.open(rig, app.ws('/'));
    client.send(Buffer.from([0, 255, 128, 7]));
    const { data, binary } = await client.message(0);
    assert.deepEqual([...data, binary], [0, 255, 128, 7, true]);
    // It ends TCP without a Close frame: the client is told so instead of seeing 1006.
    assert.equal((await client.untilClosed()).code, 1011);
  },
);

const skip =
  (spawnSync('go', ['version']).status !== 0 || !fs.existsSync(kLibrary)) &&
  'no Go: apt-get install golang-go golang-github-gorilla-websocket-dev';

scenario('a client and two servers of its own', { skip }, async (rig) => {
  const program = path.join(rig.directory(), 'gorilla');
  const build = new Child(rig, 'go', ['build', '-o', program, kSource], {
    env: { GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOFLAGS: '' },
  });
  assert.equal((await build.ended(100_000)).code, 0, build.output);
  const servers = [];
  for (let i = 0; i < 2; ++i) {
    const server = new Child(rig, program, ['server']);
    servers.push(`127.0.0.1:${await server.until(() => Number(server.output), 'its port')}`);
  }
  const app = await front(rig, servers);
  for (let i = 0; i < 2; ++i) {
    const client = new Child(rig, program, ['client', app.ws('/')]);
    const { code } = await client.ended();
    assert.equal(code, 0, client.output);
    const [agreed, ponged, closed] = client.output.trim().split('\n');
    assert.match(agreed, /^echo\.v1 permessage-deflate/);
    assert.deepEqual([ponged, closed], ['ponged true', 'true']);
  }
  await app.allUsed();
});
