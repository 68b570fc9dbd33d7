// Servers that are ill, full, in reserve, or come back.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { deadPort } from './lib/backend.js';
import { eventually } from './lib/deadline.js';
import { Op, handshakeHead } from './lib/frames.js';
import { member, memberProcess } from './lib/member.js';
import { get } from './lib/plain.js';
import { config, scenario } from './lib/rig.js';

const health = (text) =>
  `balance = "round-robin"\nhealth = { interval = "200ms", timeout = "1s", ${text} }`;

async function open(rig, fairlead) {
  const client = await rig.connect(fairlead);
  client.send(handshakeHead());
  const head = await client.readHead();
  return { client, head, status: head.status, server: head.get('x-server') };
}

// The servers that so many new sessions got.
async function where(rig, fairlead, n = 4) {
  const seen = new Set();
  for (let i = 0; i < n; ++i) {
    const { status, server } = await open(rig, fairlead);
    assert.equal(status, 101);
    seen.add(server);
  }
  return [...seen].sort();
}

const said = (fairlead, text, ms) =>
  fairlead.until(() => fairlead.stderr.includes(text), `"${text}" in ${fairlead.stderr}`, ms);
const addresses = (members) => members.map((one) => one.address).sort();

scenario('an http check that fails takes a server out, and back in', async (rig) => {
  const members = [await member(rig), await member(rig)];
  const [ill, well] = members;
  const fairlead = await rig.run({
    servers: members.map((one) => one.address),
    backend: health('type = "http", path = "/healthz?deep=1", rise = 2, fall = 3'),
  });
  const before = await open(rig, fairlead);
  const other = await open(rig, fairlead);
  const session = before.server === ill.address ? before : other;
  await eventually(() => ill.state.checks.length > 0, 'a first check');

  const good = ill.state.checks.length;
  const began = Date.now();
  ill.state.status = 503;
  await said(fairlead, `${ill.address} is down: it answered 503 (3 failed checks in a row)`);
  // Three checks at 220 ms at most, if the machine has time for us.
  assert.ok(Date.now() - began < 3 * 220 + 3000, `${Date.now() - began} ms`);
  assert.ok(ill.state.checks.length >= good + 3);
  assert.deepEqual(await where(rig, fairlead), [well.address]);
  // Its sessions go on.
  session.client.sendText('still here');
  await session.client.expectText('still here');

  ill.state.status = 302;
  await said(fairlead, `${ill.address} is up: 2 good checks in a row`);
  assert.deepEqual(await where(rig, fairlead), addresses(members));
  const [head] = ill.state.checks;
  assert.equal(head.first, 'GET /healthz?deep=1 HTTP/1.1');
  assert.equal(head.get('host'), ill.address);
  assert.equal(head.get('connection'), 'close');
});

scenario('a websocket check: handshake, Ping, Pong, Close', async (rig) => {
  const server = await member(rig);
  const fairlead = await rig.run({
    servers: [server.address],
    backend: health('type = "websocket", path = "/ws", host = "a.example", subprotocol = "chat"'),
  });
  await eventually(() => server.state.frames.length === 2, 'a Ping and a Close');
  const [head] = server.state.checks;
  assert.equal(head.first, 'GET /ws HTTP/1.1');
  assert.equal(head.get('host'), 'a.example');
  assert.equal(head.get('sec-websocket-protocol'), 'chat');
  assert.equal(head.get('origin'), undefined);
  const [ping, close] = server.state.frames;
  assert.equal(ping.op, Op.ping);
  assert.equal(ping.payload.length, 8);
  assert.equal(close.op, Op.close);
  assert.equal(close.code, 1000);

  server.state.pongs = false;
  await said(fairlead, `${server.address} is down: no Pong within 1s`);
  assert.equal((await open(rig, fairlead)).status, 503);
  server.state.pongs = true;
  await said(fairlead, `${server.address} is up`);
  server.state.accept = 'bm90IHRoZSByaWdodCBvbmU=';
  await said(fairlead, `${server.address} is down: a bad 101`);
});

scenario('a websocket check finds a server that is stopped but accepts', async (rig) => {
  const one = await memberProcess(rig);
  const two = await memberProcess(rig);
  const fairlead = await rig.run({
    servers: [one.address, two.address],
    backend: health('type = "websocket"'),
  });
  assert.deepEqual(await where(rig, fairlead), addresses([one, two]));
  one.child.kill('SIGSTOP');
  await said(fairlead, `${one.address} is down: no `); // answer, or Pong, within 1s
  assert.deepEqual(await where(rig, fairlead), [two.address]);
  one.child.kill('SIGCONT');
  await said(fairlead, `${one.address} is up`);
  assert.deepEqual(await where(rig, fairlead), addresses([one, two]));
  two.child.kill('SIGKILL');
  await said(fairlead, `${two.address} is down: connecting: Connection refused`);
  assert.deepEqual(await where(rig, fairlead), [one.address]);
});

scenario('a server that is dead at the start is out after one check', async (rig) => {
  const port = await deadPort();
  const live = await member(rig);
  const fairlead = await rig.run({
    servers: [`127.0.0.1:${port}`, live.address],
    backend: health('type = "tcp", fall = 50'),
  });
  await said(fairlead, `127.0.0.1:${port} is down: connecting: Connection refused (the first`);
  const late = await member(rig, { port });
  await said(fairlead, `127.0.0.1:${port} is up: 2 good checks in a row`);
  assert.deepEqual(await where(rig, fairlead), addresses([late, live]));
});

scenario('all servers down: 503 at once', async (rig) => {
  const members = [await member(rig), await member(rig)];
  for (const one of members) one.state.status = 500;
  const fairlead = await rig.run({
    servers: members.map((one) => one.address),
    backend: health('type = "http"'),
    timeouts: 'connect = "60s"',
  });
  for (const one of members) await said(fairlead, `${one.address} is down`);
  const began = Date.now();
  for (const text of [handshakeHead(), get('/')]) {
    const client = await rig.connect(fairlead);
    const answer = await client.request(text);
    assert.equal(answer.status, 503);
    assert.match(answer.body, /no_server/);
    assert.ok(Number(answer.head.get('retry-after')) >= 1);
  }
  assert.ok(Date.now() - began < 5000);
  await fairlead.waitForLog((entry) => entry.status === 503 && entry.reason === 'no_server');
  assert.equal(members[0].state.served + members[1].state.served, 0);
});

scenario('max_sessions holds exactly, over all workers', async (rig) => {
  const members = [await member(rig), await member(rig)];
  const fairlead = await rig.run({
    server: 'workers = 4',
    servers: members.map((one) => `{ address = "${one.address}", max_sessions = 3 }`),
  });
  const all = await Promise.all(Array.from({ length: 24 }, () => open(rig, fairlead)));
  const statuses = all.map((one) => one.status);
  assert.equal(statuses.filter((one) => one === 101).length, 6);
  assert.equal(statuses.filter((one) => one === 503).length, 18);
  assert.deepEqual(
    members.map((one) => one.state.served),
    [3, 3],
  );
  const client = await rig.connect(fairlead);
  const answer = await client.request(handshakeHead());
  assert.match(answer.body, /server_full/);
  assert.ok(Number(answer.head.get('retry-after')) >= 1);

  all.find((one) => one.status === 101).client.destroy();
  await fairlead.waitForClose();
  assert.equal((await open(rig, fairlead)).status, 101);
  assert.equal((await open(rig, fairlead)).status, 503);
});

scenario('a backup serves only while no other server can', async (rig) => {
  const [first, second, backup] = [await member(rig), await member(rig), await member(rig)];
  const fairlead = await rig.run({
    servers: [
      first.address,
      second.address,
      `{ address = "${backup.address}", backup = true }`,
    ],
    backend: health('type = "http"'),
  });
  assert.deepEqual(await where(rig, fairlead, 6), addresses([first, second]));
  first.state.status = 500;
  await said(fairlead, `${first.address} is down`);
  assert.deepEqual(await where(rig, fairlead), [second.address]);
  second.state.status = 500;
  await said(fairlead, `${second.address} is down`);
  assert.deepEqual(await where(rig, fairlead), [backup.address]);
  first.state.status = 200;
  await said(fairlead, `${first.address} is up`);
  assert.deepEqual(await where(rig, fairlead), [first.address]);
});

scenario('a backup without checks steps in when a connect fails', async (rig) => {
  const backup = await member(rig);
  const fairlead = await rig.run({
    servers: [
      `127.0.0.1:${await deadPort()}`,
      `{ address = "${backup.address}", backup = true }`,
    ],
  });
  assert.deepEqual(await where(rig, fairlead), [backup.address]);
});

scenario('a server that sends a bad 101 is ejected', async (rig) => {
  const members = [await member(rig), await member(rig)];
  members[0].state.accept = 'bm90IHRoZSByaWdodCBvbmU=';
  const fairlead = await rig.run({
    servers: members.map((one) => one.address),
    backend: 'balance = "round-robin"',
  });
  const began = Date.now();
  const statuses = [];
  for (let i = 0; i < 6; ++i) statuses.push((await open(rig, fairlead)).status);
  // Ejected for 0.8 s at least; a slower machine proves nothing here.
  if (Date.now() - began < 700)
    assert.deepEqual(statuses.sort(), [101, 101, 101, 101, 101, 502]);
});

scenario('sessions that end with a Close are no failures, whatever the code', async (rig) => {
  const members = [await member(rig), await member(rig)];
  const fairlead = await rig.run({
    servers: members.map((one) => one.address),
    backend: 'balance = "round-robin"',
  });
  for (const code of [1000, 1001, 1011, 1012, 4000]) {
    const { client, server } = await open(rig, fairlead);
    const { state } = members.find((one) => one.address === server);
    state.sessions.at(-1).sendClose(code);
    await client.expectClose(code);
    client.sendClose(code);
    const again = [await open(rig, fairlead), await open(rig, fairlead)];
    assert.deepEqual(again.map((one) => one.server).sort(), addresses(members));
  }
});

scenario('a reload keeps what is known, and without checks all are up', async (rig) => {
  const members = [await member(rig), await member(rig)];
  const [ill, well] = members;
  ill.state.status = 500;
  const settings = { servers: members.map((one) => one.address) };
  const checked = { ...settings, backend: health('type = "http", interval = "3s"') };
  checked.backend = checked.backend.replace('interval = "200ms", ', '');
  const fairlead = await rig.run(checked);
  const file = path.join(rig.directory(), 'fairlead.toml');
  const reload = async (text) => {
    const count = () => fairlead.stderr.split('configuration reloaded').length;
    const before = count();
    fs.writeFileSync(file, text);
    fairlead.signal('SIGHUP');
    await fairlead.until(() => count() > before, 'a reload');
  };
  await said(fairlead, `${ill.address} is down`);
  await reload(config(checked));
  assert.deepEqual(await where(rig, fairlead), [well.address]);
  await reload(config({ ...settings, backend: 'balance = "round-robin"' }));
  assert.deepEqual(await where(rig, fairlead), addresses(members));
});

scenario('slow start: a server that came up gets its turns, not everything', async (rig) => {
  const members = [await member(rig), await member(rig), await member(rig)];
  const [late] = members;
  late.state.status = 500;
  const fairlead = await rig.run({
    servers: members.map((one) => one.address),
    backend:
      'slow_start = 4\nhealth = { type = "http", interval = "200ms", timeout = "1s", rise = 1 }',
  });
  await said(fairlead, `${late.address} is down`);
  for (let i = 0; i < 20; ++i) await open(rig, fairlead);
  late.state.status = 200;
  await said(fairlead, `${late.address} is up`);
  for (let i = 0; i < 9; ++i) await open(rig, fairlead);
  assert.equal(late.state.served, 3);
  for (let i = 0; i < 12; ++i) await open(rig, fairlead);
  assert.ok(late.state.served > 10, `${late.state.served}`);
});
