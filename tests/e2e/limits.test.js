// Limits: per address, per session, of the process.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { eventually } from './lib/deadline.js';
import { handshakeHead } from './lib/frames.js';
import { keeping } from './lib/plain.js';
import { scenario } from './lib/rig.js';
import { random } from './lib/sockets.js';
import { watched } from './lib/watch.js';

const kPlainGet = 'GET / HTTP/1.1\r\nHost: chat.example.com\r\n\r\n';

async function attempt(rig, fairlead) {
  const client = await rig.connect(fairlead);
  client.send(handshakeHead());
  const head = await client.readHead();
  if (head.status === 101) return { client, head, status: 101 };
  const body = (await client.readBody(head)).toString();
  client.destroy(); // refused: it goes
  return { client, head, status: head.status, body };
}

const agreeing = (rig) => rig.backend({ onPeer: (peer) => peer.oblige().catch(() => {}) });

function assertRetryAfter(head) {
  assert.match(head.get('retry-after') ?? '', /^[1-9]\d*$/, 'Retry-After');
}

scenario('handshakes_per_ip: what is over it gets 429 with Retry-After', async (rig) => {
  const backend = await agreeing(rig);
  const fairlead = await rig.run({
    servers: [backend.address],
    limits: 'handshakes_per_ip = { rate = "1/m", burst = 2 }',
  });
  assert.equal((await attempt(rig, fairlead)).status, 101);
  assert.equal((await attempt(rig, fairlead)).status, 101);
  const dialled = backend.dialled;
  const third = await attempt(rig, fairlead);
  assert.equal(third.status, 429);
  assertRetryAfter(third.head);
  assert.ok(third.body.includes('handshake_rate'), third.body);
  assert.equal(backend.dialled, dialled, 'no backend is dialled');
  await fairlead.waitForLog((entry) => entry.status === 429 && entry.reason === 'handshake_rate');
});

scenario("handshakes_per_ip as a plain rate lets one second's worth pass at once", async (rig) => {
  const backend = await agreeing(rig);
  const fairlead = await rig.run({
    servers: [backend.address],
    limits: 'handshakes_per_ip = "5/s"',
  });
  // Five at once, and refused ones soon after: however slow the machine, 60 do not fit into 5/s.
  const statuses = (
    await Promise.all(Array.from({ length: 60 }, () => attempt(rig, fairlead)))
  ).map((one) => one.status);
  const passed = statuses.filter((status) => status === 101).length;
  assert.ok(passed >= 5, `passed: ${passed}`);
  assert.ok(statuses.includes(429), 'some are refused');
  // The bucket fills again.
  await eventually(
    async () => (await attempt(rig, fairlead)).status === 101,
    'a later handshake passes',
  );
});

scenario(
  'connections_per_ip: what is over it gets 429, and room again when one ends',
  async (rig) => {
    const backend = await agreeing(rig);
    const fairlead = await rig.run({
      servers: [backend.address],
      limits: 'connections_per_ip = 2',
    });
    const first = await attempt(rig, fairlead);
    await attempt(rig, fairlead);
    const third = await attempt(rig, fairlead);
    assert.equal(third.status, 429);
    assertRetryAfter(third.head);
    assert.ok(third.body.includes('too_many_connections'), third.body);
    first.client.destroy();
    await eventually(async () => (await attempt(rig, fairlead)).status === 101, 'room again');
  },
);

scenario(
  'connections_per_ip: a handshake the backend refuses gives its place back',
  async (rig) => {
    let refuse = true;
    const backend = await rig.backend({
      onPeer: async (peer) => {
        if (!refuse) return peer.oblige().catch(() => {});
        await peer.readHead();
        return peer.send('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
      },
    });
    const fairlead = await rig.run({
      servers: [backend.address],
      limits: 'connections_per_ip = 1',
    });
    for (let i = 0; i < 5; ++i) {
      await eventually(
        async () => (await attempt(rig, fairlead)).status === 403,
        "the backend's own refusal",
      );
    }
    refuse = false;
    await eventually(async () => (await attempt(rig, fairlead)).status === 101, 'a place');
  },
);

scenario('messages over the rate are delivered later, all of them', async (rig) => {
  const { backend, fairlead } = await rig.pair({
    limits: 'messages = { rate = "20/s", burst = 5 }',
  });
  const { client, server } = await rig.session(fairlead, backend);
  const begun = Date.now();
  client.send(
    Buffer.concat(Array.from({ length: 30 }, (_, i) => client.build({ payload: `message ${i}` }))),
  );
  for (let i = 0; i < 30; ++i) await server.expectText(`message ${i}`);
  // 25 messages at 20/s: 1.25 s.
  assert.ok(Date.now() - begun > 800, `paced: ${Date.now() - begun} ms`);
  server.sendText('not limited');
  await client.expectText('not limited');
});

scenario('bytes over the rate are delivered later, all of them', async (rig) => {
  const { backend, fairlead } = await rig.pair({
    limits: 'bytes = { rate = "64KiB/s", burst = "16KiB" }',
  });
  const { client, server } = await rig.session(fairlead, backend);
  const begun = Date.now();
  const whole = client.build({ payload: random(256 * 1024) });
  client.send(whole);
  assert.ok((await server.read(whole.length)).equals(whole));
  // 240 KiB at 64 KiB/s: 3.75 s, or a second less where what is read at once goes on credit.
  assert.ok(Date.now() - begun > 2000, `paced: ${Date.now() - begun} ms`);
});

scenario('a Close overtakes no message that is held back, and control frames pass', async (rig) => {
  const { backend, fairlead } = await rig.pair({
    limits: 'messages = { rate = "10/s", burst = 1 }',
  });
  const { client, server } = await rig.session(fairlead, backend);
  client.send(
    Buffer.concat([
      client.build({ payload: 'one' }),
      client.build({ payload: 'two' }),
      client.build({ payload: 'three' }),
    ]),
  );
  client.sendClose(1000);
  for (const text of ['one', 'two', 'three']) await server.expectText(text);
  await server.expectClose(1000);
});

scenario('on_excess = "close": 1008 for the client, 1001 for the backend', async (rig) => {
  const { backend, fairlead } = await rig.pair({
    limits: 'messages = { rate = "1/m", burst = 5 }\non_excess = "close"',
  });
  const { client, server } = await rig.session(fairlead, backend);
  client.send(
    Buffer.concat(Array.from({ length: 6 }, (_, i) => client.build({ payload: `message ${i}` }))),
  );
  for (let i = 0; i < 5; ++i) await server.expectText(`message ${i}`);
  await Promise.all([client.expectClosing(1008), server.expectClosing(1001)]);
  await fairlead.waitForLog(
    (entry) =>
      entry.event === 'close' && entry.reason === 'rate_exceeded' && entry.closed_by === 'proxy',
  );
});

scenario('on_excess = "close" for bytes', async (rig) => {
  const { backend, fairlead } = await rig.pair({
    limits: 'bytes = { rate = "1KiB/s", burst = "4KiB" }\non_excess = "close"',
  });
  const { client, server } = await rig.session(fairlead, backend);
  client.sendText('x'.repeat(100_000));
  await client.expectClosing(1008);
  server.destroy();
  await fairlead.waitForLog((entry) => entry.event === 'close' && entry.reason === 'rate_exceeded');
});

scenario(
  'max_connections: one more is answered 503, and there is room again when one ends',
  async (rig) => {
    const backend = await agreeing(rig);
    const fairlead = await rig.run({ servers: [backend.address], server: 'max_connections = 2' });
    const first = await attempt(rig, fairlead);
    await attempt(rig, fairlead);
    const third = await attempt(rig, fairlead);
    assert.equal(third.status, 503);
    assertRetryAfter(third.head);
    assert.ok(third.body.includes('max_connections'), third.body);
    first.client.destroy();
    await eventually(
      async () => (await attempt(rig, fairlead).catch(() => ({}))).status === 101,
      'room again',
    );
  },
);

scenario(
  'max_connections: clients that never ask hold neither descriptors nor places',
  async (rig) => {
    const backend = await agreeing(rig);
    const watch = await watched(rig, { servers: [backend.address], server: 'max_connections = 50' });
    const descriptors = () => fs.readdirSync(`/proc/${watch.fairlead.child.pid}/fd`).length;
    const before = descriptors();
    const session = await attempt(rig, watch.fairlead);
    const idle = await Promise.all(Array.from({ length: 300 }, () => rig.connect(watch.fairlead)));
    let ended = 0;
    for (const one of idle) one.readAll().then(() => ++ended, () => ++ended);
    await eventually(() => ended >= 300 - 50, 'those over it are turned away at once');
    // The session has two; 32 may be there yet to read their answer.
    assert.ok(descriptors() <= before + 50 + 32 + 2, `${before} descriptors, then ${descriptors()}`);
    assert.equal((await watch.ask('GET', '/healthz')).status, 200);
    await eventually(
      async () => (await attempt(rig, watch.fairlead)).status === 101,
      'who asks gets the place of one that did not',
    );
    session.client.sendText('still here');
    for (const one of idle) one.destroy();
  },
);

scenario("limits are a route's own: plain requests do not count as handshakes", async (rig) => {
  const backend = await keeping(rig);
  const fairlead = await rig.run({
    servers: [backend.address],
    limits: 'handshakes_per_ip = { rate = "1/m", burst = 1 }',
  });
  for (let i = 0; i < 4; ++i) {
    const client = await rig.connect(fairlead);
    assert.equal((await client.request(kPlainGet)).status, 200);
    client.destroy();
  }
});
