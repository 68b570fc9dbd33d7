// libwebsockets: Debian's test server and test client, C at both ends.

import assert from 'node:assert/strict';
import { scenario } from '../e2e/lib/rig.js';
import { Client } from '../e2e/lib/sockets.js';
import { Child, needs, serve } from './lib/child.js';
import { front } from './lib/front.js';

const options = needs('libwebsockets-test-server', 'libwebsockets-test-server');

async function site(rig, settings) {
  const servers = [];
  for (let i = 0; i < 2; ++i)
    servers.push(
      await serve(rig, (port) => ({
        command: 'libwebsockets-test-server',
        args: [`--port=${port}`, '-d', '3'],
      })),
    );
  return front(
    rig,
    servers.map((one) => one.where),
    settings,
  );
}

scenario('its page, its counter and its mirror, on two servers', options, async (rig) => {
  const app = await site(rig);
  const page = await fetch(app.at('/test.html'));
  assert.equal(page.status, 200);
  assert.match(await page.text(), /libwebsockets/);
  for (let i = 0; i < 2; ++i) {
    const counter = await Client.open(rig, app.ws('/'), ['dumb-increment-protocol']);
    assert.equal(counter.socket.protocol, 'dumb-increment-protocol');
    const numbers = [];
    for (let n = 0; n < 5; ++n) numbers.push(Number((await counter.message(n)).data));
    assert.deepEqual(numbers, [0, 1, 2, 3, 4]);
    counter.send('reset\n');
    await counter.until(
      () => counter.messages.slice(5).some(({ data }) => data.toString() === '0'),
      'counting from 0 again',
    );
  }
  await app.allUsed();
  const mirrors = [];
  for (let i = 0; i < 4; ++i)
    mirrors.push(await Client.open(rig, app.ws('/'), ['lws-mirror-protocol']));
  const line = 'd #ff0000 1 2 3 4;';
  mirrors[0].send(line);
  mirrors[1].send(line);
  for (const one of mirrors)
    // each at its server, with the drawing of the other there
    await one.until(() => one.messages.some(({ data }) => data.includes(line)), 'the drawing');
});

scenario('its client keeps a counter and a mirror open', options, async (rig) => {
  // It says that it comes from http://HOST, whatever it speaks and to which port: no page's origin.
  const app = await site(rig, { route: 'origins = ["http://127.0.0.1"]' });
  const client = new Child(rig, 'libwebsockets-test-client', [
    '127.0.0.1',
    `--port=${app.port}`,
    '--ssl',
    '-l',
  ]);
  const opened = (protocol) =>
    app.fairlead.waitForLog((one) => one.event === 'open' && one.subprotocol === protocol);
  await Promise.all([opened('dumb-increment-protocol'), opened('lws-mirror-protocol')]);
  await client.until(() => /CLIENT_ESTABLISHED/.test(client.output), 'the mirror stands');
  await client.kill();
  for (const protocol of ['dumb-increment-protocol', 'lws-mirror-protocol']) {
    const entry = await app.fairlead.waitForLog(
      (one) => one.event === 'close' && one.subprotocol === protocol,
    );
    assert.equal(entry.closed_by, 'client');
  }
});
