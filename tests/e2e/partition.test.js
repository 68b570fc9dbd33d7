// Machines that cannot be reached any more: nothing is refused, packets are lost. In networks of their own, which end
// with their processes: this file runs itself in one, and Fairlead in a second one, with a link each to the clients
// and to two servers. Needs root, or user namespaces for everybody.

import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const kInside = 'FAIRLEAD_E2E_PARTITION';
const kAlone = process.getuid() === 0 ? ['--net'] : ['--net', '--map-root-user'];

if (process.env[kInside]) await inside();
else outside();

function outside() {
  const probe = spawnSync('unshare', [
    ...kAlone,
    'sh',
    '-c',
    'ip link set lo up && ip link add one type veth peer name two && unshare --net true',
  ]);
  const skip =
    probe.status === 0 ? false : `no networks of our own here: ${probe.error ?? probe.stderr}`;
  test('in networks of their own', { skip }, async () => {
    const env = { ...process.env, [kInside]: 'yes' };
    delete env.NODE_TEST_CONTEXT;
    const child = spawn(
      'unshare',
      [...kAlone, process.execPath, '--test-reporter=spec', fileURLToPath(import.meta.url)],
      { env, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    process.on('exit', () => child.kill('SIGKILL'));
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (said += text));
    const code = await new Promise((resolve) => child.on('close', resolve));
    assert.equal(code, 0, said);
  });
}

async function inside() {
  const ip = (...args) => execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  ip('link', 'set', 'lo', 'up');
  // Whoever lives in a network keeps it: a process that does nothing else.
  const holder = spawn('unshare', ['--net', 'sh', '-c', 'ip link set lo up; echo up; read _'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  process.on('exit', () => holder.kill('SIGKILL'));
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  const there = ['nsenter', '--net', `--target=${holder.pid}`];
  // Link n: 10.77.n.1 here, 10.77.n.2 at Fairlead.
  for (const n of [1, 2, 3]) {
    ip('link', 'add', `here${n}`, 'type', 'veth', 'peer', 'name', `there${n}`, 'netns', String(holder.pid));
    ip('address', 'add', `10.77.${n}.1/30`, 'dev', `here${n}`);
    ip('link', 'set', `here${n}`, 'up');
    const [command, ...rest] = there;
    for (const args of [
      ['address', 'add', `10.77.${n}.2/30`, 'dev', `there${n}`],
      ['link', 'set', `there${n}`, 'up'],
    ])
      execFileSync(command, [...rest, 'ip', ...args]);
  }
  const wrapper = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'fairlead-net-')), 'fairlead');
  process.on('exit', () => fs.rmSync(path.dirname(wrapper), { recursive: true, force: true }));
  fs.writeFileSync(
    wrapper,
    `#!/bin/sh\nexec ${there.join(' ')} '${path.resolve(process.env.FAIRLEAD)}' "$@"\n`,
    { mode: 0o755 },
  );
  process.env.FAIRLEAD = wrapper;
  await scenarios((n, state) => ip('link', 'set', `here${n}`, state));
  test.after(() => holder.kill('SIGKILL'));
}

async function scenarios(setLink) {
  const { member } = await import('./lib/member.js');
  const { handshakeHead } = await import('./lib/frames.js');
  const { scenario } = await import('./lib/rig.js');
  const { ending } = await import('./lib/requests.js');

  const cut = (rig, n) => {
    setLink(n, 'down');
    rig.defer(() => setLink(n, 'up'));
  };
  const kConnect = 1000; // ms
  const run = (rig, servers, settings = {}) =>
    rig.run({
      servers: servers.map((one) => one.address),
      address: '0.0.0.0:0',
      timeouts: `connect = "${kConnect}ms"`,
      ...settings,
    });
  const kPings = 'ping_interval = "300ms"\nping_timeout = "700ms"';

  async function open(rig, fairlead) {
    const began = Date.now();
    const client = await rig.connect(fairlead, { target: { host: '10.77.1.2', port: fairlead.port } });
    client.send(handshakeHead());
    const head = await client.readHead();
    assert.equal(head.status, 101);
    return { client, server: head.get('x-server'), took: Date.now() - began };
  }

  // Answers Pings until a text comes: this one.
  const hears = async ({ client }, text) => {
    for (;;) {
      const got = await client.nextFrame();
      if (got.op === 9) client.sendFrame({ op: 10, payload: got.payload });
      else return assert.equal(got.payload.toString(), text);
    }
  };

  scenario('a server that vanishes: its clients get 1011, checks take it out and back in', async (rig) => {
    const lost = await member(rig, { host: '10.77.2.1' });
    const well = await member(rig, { host: '10.77.3.1' });
    const fairlead = await run(rig, [lost, well], {
      websocket: kPings,
      backend: 'health = { type = "tcp", interval = "200ms", timeout = "300ms", rise = 1, fall = 2 }',
    });
    const sessions = [await open(rig, fairlead), await open(rig, fairlead)];
    const victim = sessions.find((one) => one.server === lost.address);
    const other = sessions.find((one) => one.server === well.address);
    const heard = hears(other, 'as before');
    cut(rig, 2);
    await Promise.all([
      closing(victim.client, 1011),
      fairlead.until(() => fairlead.stderr.includes(`${lost.address} is down`), 'it is found down'),
    ]);
    await ending(fairlead, { reason: 'backend_dead', close_code: null, server: lost.address });
    other.client.sendText('as before');
    await heard;
    for (let i = 0; i < 3; ++i) {
      const { server, took } = await open(rig, fairlead);
      assert.equal(server, well.address);
      assert.ok(took < kConnect, `${took} ms`);
    }
    setLink(2, 'up');
    await fairlead.until(() => fairlead.stderr.includes(`${lost.address} is up`), 'it is back', 20_000);
    assert.ok([(await open(rig, fairlead)).server, (await open(rig, fairlead)).server].includes(lost.address));
  });

  // Reads on through Pings, which it answers, to a Close with the code.
  async function closing(client, code) {
    for (;;) {
      const got = await client.nextFrame();
      if (got.op === 9) client.sendFrame({ op: 10, payload: got.payload });
      if (got.op !== 8) continue;
      assert.equal(got.code, code);
      client.sendFrame({ op: 8, payload: got.payload });
      return client.end();
    }
  }

  scenario('a handshake with a server in a black hole goes to another; then it is avoided', async (rig) => {
    const lost = await member(rig, { host: '10.77.2.1' });
    const well = await member(rig, { host: '10.77.3.1' });
    const fairlead = await run(rig, [lost, well]);
    cut(rig, 2);
    const first = await open(rig, fairlead);
    assert.equal(first.server, well.address);
    assert.ok(first.took >= kConnect - 50, `${first.took} ms`);
    for (let i = 0; i < 3; ++i) {
      const { server, took } = await open(rig, fairlead);
      assert.equal(server, well.address);
      assert.ok(took < kConnect, `${took} ms`);
    }
  });

  scenario('a client that vanishes: its server gets 1001', async (rig) => {
    const backend = await rig.backend({ host: '10.77.3.1' });
    const fairlead = await run(rig, [backend], { websocket: kPings });
    const opened = rig.connect(fairlead, { target: { host: '10.77.1.2', port: fairlead.port } });
    const client = await opened;
    client.send(handshakeHead());
    const server = await backend.accept();
    await server.acceptUpgrade();
    assert.equal((await client.readHead()).status, 101);
    cut(rig, 1);
    await closing(server, 1001);
    await ending(fairlead, { reason: 'client_dead', close_code: null, closed_by: 'client' });
  });

  scenario('clients that vanish are found by the kernel where nobody pings or writes', async (rig) => {
    const backend = await rig.backend({ host: '10.77.3.1' });
    const fairlead = await run(rig, [backend], {
      websocket: 'ping_interval = "off"',
      timeouts: `connect = "${kConnect}ms"\nwrite_stall = "1s"\ntcp_keepalive = "1s"\ntcp_user_timeout = "2s"`,
    });
    const target = { host: '10.77.1.2', port: fairlead.port };
    const reader = await rig.connect(fairlead, { target });
    reader.send('GET /events HTTP/1.1\r\nHost: a\r\n\r\n');
    const events = await backend.accept();
    await events.readHead();
    events.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n');
    assert.equal((await reader.readHead()).status, 200);
    const client = await rig.connect(fairlead, { target });
    client.send(handshakeHead());
    const server = await backend.accept();
    await server.acceptUpgrade();
    assert.equal((await client.readHead()).status, 101);
    cut(rig, 1);
    await Promise.all([
      closing(server, 1001),
      events.until(() => events.ended, 'the server of the events sees that nobody listens'),
      fairlead.waitForLog((one) => one.event === 'http' && one.reason === 'client_left'),
    ]);
    await ending(fairlead, { reason: 'client_gone', closed_by: 'client' });
  });
}
