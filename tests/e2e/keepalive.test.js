// Fairlead's own pings, dead peers, and the limits on a session's age.

import assert from 'node:assert/strict';
import { moment } from './lib/deadline.js';
import { Op } from './lib/frames.js';
import { scenario } from './lib/rig.js';

const kFast = 'ping_interval = "200ms"\nping_timeout = "300ms"\n';
// For peers that answer, on however slow a machine.
const kPatient = 'ping_interval = "200ms"\nping_timeout = "3s"\n';

scenario('a silent client is pinged, its Pong is swallowed and timed', async (rig) => {
  const { backend, fairlead } = await rig.pair({ websocket: `${kPatient}ping_backend = false` });
  const { client, server } = await rig.session(fairlead, backend);
  const payloads = new Set();
  for (let i = 0; i < 3; ++i) {
    const ping = await client.expectFrame({ op: Op.ping, fin: true });
    payloads.add(ping.payload.toString('hex'));
    client.sendFrame({ op: Op.pong, payload: ping.payload });
  }
  assert.ok(
    [...payloads].every((one) => one.length > 0),
    'a payload only Fairlead knows',
  );
  client.sendText('after');
  await server.expectText('after'); // and no Pong before it
  client.sendClose(1000);
  await server.expectClose(1000);
  server.sendClose(1000);
  server.end();
  const entry = await fairlead.waitForClose();
  assert.ok(entry.pings >= 3, `pings: ${entry.pings}`);
  assert.equal(typeof entry.rtt_ms, 'number');
  assert.ok(entry.rtt_ms >= 0 && entry.rtt_ms < 10_000, `rtt_ms: ${entry.rtt_ms}`);
});

scenario('a silent backend is pinged with masked frames, its Pong is swallowed', async (rig) => {
  const { backend, fairlead } = await rig.pair({ websocket: kPatient });
  const { client, server } = await rig.session(fairlead, backend);
  // The client answers what it is asked all the while.
  const answering = (async () => {
    for (;;) {
      const got = await client.nextFrame();
      if (got?.op !== Op.ping) return got;
      client.sendFrame({ op: Op.pong, payload: got.payload });
    }
  })();
  for (let i = 0; i < 3; ++i) {
    const ping = await server.expectFrame({ op: Op.ping });
    server.sendFrame({ op: Op.pong, payload: ping.payload });
  }
  server.sendText('after');
  const next = await answering;
  assert.deepEqual([next.op, next.payload.toString()], [Op.text, 'after']);
});

scenario('a Pong Fairlead did not ask for passes while its own ping is open', async (rig) => {
  const { backend, fairlead } = await rig.pair({ websocket: `${kPatient}ping_backend = false` });
  const { client, server } = await rig.session(fairlead, backend);
  const ping = await client.expectFrame({ op: Op.ping });
  client.sendFrame({ op: Op.pong, payload: 'mine' });
  client.sendFrame({ op: Op.pong, payload: ping.payload });
  client.sendFrame({ op: Op.pong });
  await server.expectFrame({ op: Op.pong, payload: 'mine' });
  await server.expectFrame({ op: Op.pong, payload: '' });
});

scenario('a client that answers no ping is dead: the backend gets 1001', async (rig) => {
  const { backend, fairlead } = await rig.pair({ websocket: `${kFast}ping_backend = false` });
  const { client, server } = await rig.session(fairlead, backend);
  await client.expectFrame({ op: Op.ping });
  await server.expectClosing(1001);
  await client.until(() => client.ended, "the dead client's end");
  await fairlead.waitForLog((entry) => entry.event === 'close' && entry.reason === 'client_dead');
});

scenario('a backend that answers no ping is dead: the client gets 1011', async (rig) => {
  const { backend, fairlead } = await rig.pair({ websocket: kFast });
  const { client, server } = await rig.session(fairlead, backend);
  for (;;) {
    const got = await client.nextFrame();
    if (got.op === Op.ping) {
      client.sendFrame({ op: Op.pong, payload: got.payload });
      continue;
    }
    assert.deepEqual([got.op, got.code], [Op.close, 1011]);
    client.sendFrame({ op: Op.close, payload: got.payload });
    break;
  }
  await client.expectEnd();
  await server.until(() => server.ended, "the dead backend's end");
  await fairlead.waitForLog((entry) => entry.event === 'close' && entry.reason === 'backend_dead');
});

scenario('who sends data is alive without a Pong', async (rig) => {
  const { backend, fairlead } = await rig.pair({ websocket: `${kFast}ping_backend = false` });
  const { client, server } = await rig.session(fairlead, backend);
  const talking = setInterval(() => client.sendText('alive'), 50);
  rig.defer(() => clearInterval(talking));
  for (let i = 0; i < 25; ++i) await server.expectText('alive');
  assert.equal(client.ended, false);
});

scenario('a ping falls between two fragments, never into a frame', async (rig) => {
  const { backend, fairlead } = await rig.pair({ websocket: `${kPatient}ping_backend = false` });
  const { client, server } = await rig.session(fairlead, backend);
  // Within a frame: nothing but its payload comes.
  const whole = server.build({ fin: false, payload: 'x'.repeat(1000) });
  server.send(whole.subarray(0, 504));
  assert.ok((await client.read(504)).equals(whole.subarray(0, 504)));
  await moment(600);
  server.send(whole.subarray(504));
  assert.ok((await client.read(500)).equals(whole.subarray(504)));
  // Between its message's fragments: welcome.
  const ping = await client.expectFrame({ op: Op.ping });
  client.sendFrame({ op: Op.pong, payload: ping.payload });
  server.sendFrame({ op: Op.continuation, payload: 'end' });
  let got = await client.nextFrame();
  while (got.op === Op.ping) got = await client.nextFrame();
  assert.deepEqual([got.op, got.fin, got.payload.toString()], [Op.continuation, true, 'end']);
});

scenario('ping_interval = "off": nobody is pinged', async (rig) => {
  const { backend, fairlead } = await rig.pair({
    websocket: 'ping_interval = "off"\nping_timeout = "200ms"',
  });
  const { client, server } = await rig.session(fairlead, backend);
  await moment(800);
  assert.deepEqual([client.buffer.length, server.buffer.length], [0, 0]);
  client.sendText('here');
  await server.expectText('here');
});

scenario('idle_timeout: 1001 for both, and pings do not count as traffic', async (rig) => {
  const { backend, fairlead } = await rig.pair({
    websocket: 'idle_timeout = "600ms"\nping_interval = "off"',
  });
  const { client, server } = await rig.session(fairlead, backend);
  const pinging = setInterval(() => client.sendFrame({ op: Op.ping }), 100);
  rig.defer(() => clearInterval(pinging));
  for (;;) {
    const got = await server.nextFrame();
    if (got.op === Op.ping) continue;
    assert.deepEqual([got.op, got.code], [Op.close, 1001]);
    break;
  }
  clearInterval(pinging);
  server.sendClose(1001);
  server.end();
  await client.expectClosing(1001);
  await fairlead.waitForLog(
    (entry) =>
      entry.event === 'close' && entry.reason === 'idle_timeout' && entry.closed_by === 'proxy',
  );
});

scenario('idle_timeout: data frames of either side keep a session', async (rig) => {
  const { backend, fairlead } = await rig.pair({ websocket: 'idle_timeout = "1s"' });
  const { client, server } = await rig.session(fairlead, backend);
  for (let i = 0; i < 8; ++i) {
    const [from, to] = i % 2 ? [client, server] : [server, client];
    from.sendText(`${i}`);
    await to.expectText(`${i}`);
    await moment(250);
  }
  await Promise.all([client.expectClosing(1001), server.expectClosing(1001)]);
});

scenario('max_lifetime: 1001 for both, however busy', async (rig) => {
  const { backend, fairlead } = await rig.pair({ websocket: 'max_lifetime = "700ms"' });
  const { client, server } = await rig.session(fairlead, backend);
  const talking = setInterval(() => client.sendText('busy'), 50);
  rig.defer(() => clearInterval(talking));
  const got = await client.expectClose(1001);
  clearInterval(talking);
  client.sendFrame({ op: Op.close, payload: got.payload });
  let last = await server.nextFrame();
  while (last.op === Op.text) last = await server.nextFrame();
  assert.deepEqual([last.op, last.code], [Op.close, 1001]);
  server.sendClose(1001);
  server.end();
  await client.expectEnd();
  await fairlead.waitForLog(
    (entry) =>
      entry.event === 'close' && entry.reason === 'max_lifetime' && entry.closed_by === 'proxy',
  );
});

scenario('a process that was stopped judges nobody by what it could not read', async (rig) => {
  const kTimeout = 3000; // ms
  const { backend, fairlead } = await rig.pair({
    server: 'workers = 1',
    websocket: `ping_interval = "500ms"\nping_timeout = "${kTimeout}ms"\nping_backend = false`,
    timeouts: `request_head = "${kTimeout}ms"`,
  });
  // More than one look at the sockets tells of.
  const sessions = [];
  for (let i = 0; i < 60; ++i) sessions.push(await rig.session(fairlead, backend));
  const pings = await Promise.all(
    sessions.map(({ client }) => client.expectFrame({ op: Op.ping })),
  );
  const late = await rig.connect(fairlead);
  late.send('GET / HTTP/1.1\r\n');
  fairlead.signal('SIGSTOP');
  sessions.forEach(({ client }, i) =>
    client.sendFrame({ op: Op.pong, payload: pings[i].payload }),
  );
  late.send('Host: chat.example.com\r\n\r\n');
  await moment(kTimeout + 300); // the pause itself
  fairlead.signal('SIGCONT');
  await Promise.all(
    sessions.map(async ({ client, server }) => {
      client.sendText('alive');
      await server.expectText('alive');
    }),
  );
  const asked = await backend.accept();
  assert.equal((await asked.readHead()).first, 'GET / HTTP/1.1');
});
