// One process follows another: the hand-over (USR2, `fairlead upgrade`), sockets from a parent, and what a service
// manager is told.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import { Changes, eventually, within } from './lib/deadline.js';
import { DnsServer } from './lib/dns.js';
import { echo } from './lib/echo.js';
import { Op, handshakeHead } from './lib/frames.js';
import { get } from './lib/requests.js';
import { kBinary } from './lib/fairlead.js';
import { Fairlead, config, scenario } from './lib/rig.js';

const kPython = '/usr/bin/python3';
const kParent = fileURLToPath(new URL('lib/parent.py', import.meta.url));

// With an admin endpoint on a unix socket, for `fairlead upgrade`.
function settingsOf(rig, settings) {
  const admin = `[admin]\nlisten = "unix:${path.join(rig.directory(), 'admin.sock')}"`;
  return { ...settings, more: `${admin}\n${settings.more ?? ''}` };
}

const upgrade = (rig, options) =>
  Fairlead.command(
    rig,
    ['upgrade', '--admin', `unix:${path.join(rig.directory(), 'admin.sock')}`],
    options,
  );

const pidsOf = (fairlead) => [...fairlead.stderr.matchAll(/upgrade: process (\d+) starts/g)].map((m) => Number(m[1]));

// Not so the ones that ended and that nobody has waited for yet.
const isAlive = (pid) => {
  try {
    return !/^\d+ \(.*\) Z/.test(fs.readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
};

// The rig stops the process it has started; those that followed it are stopped here.
function stopSuccessors(rig, fairlead) {
  rig.defer(() => {
    for (const pid of pidsOf(fairlead)) if (isAlive(pid)) process.kill(pid, 'SIGTERM');
  });
}

async function run(rig, settings, options) {
  const fairlead = await rig.run(settingsOf(rig, settings), options);
  stopSuccessors(rig, fairlead);
  await fairlead.until(() => fairlead.stderr.includes('admin endpoint on'), 'the admin endpoint');
  return fairlead;
}

// The old process has ended, with 0.
const oldEnds = (fairlead) =>
  eventually(() => fairlead.child.exitCode !== null, 'the old process ends').then(() =>
    assert.equal(fairlead.child.exitCode, 0),
  );

async function open(rig, fairlead, fields = {}) {
  const client = await rig.connect(fairlead);
  client.send(handshakeHead({ fields }));
  const head = await client.readHead();
  assert.equal(head.status, 101, head.text);
  return { client, head };
}

scenario('clients that knock all the time are never refused, and old sessions are moved', async (rig) => {
  const backend = await echo(rig, 'a');
  const fairlead = await run(rig, {
    servers: [backend.address],
    server: 'drain = { deadline = "10s", rate = "100/s" }',
  });
  const old = [];
  for (let i = 0; i < 20; ++i) old.push(await open(rig, fairlead));
  const fresh = await rig.connect(fairlead); // asks nothing yet
  const kept = await rig.connect(fairlead);
  assert.equal((await kept.request(get())).body, 'a');
  let stop = false;
  const counts = { echoed: 0, moved: 0, answered: 0 };
  const speak = async () => {
    for (let i = 0; !stop; ++i) {
      const { client } = await open(rig, fairlead);
      const text = `message ${i}`;
      client.sendText(text);
      const got = await client.nextFrame();
      assert.ok(got, 'an end without a Close');
      if (got.op === Op.text) {
        assert.equal(got.payload.toString(), text);
        counts.echoed += 1;
        client.sendClose(1000);
      } else {
        assert.equal(got.code, 1012);
        counts.moved += 1;
      }
      client.destroy();
    }
  };
  const ask = async () => {
    while (!stop) {
      const client = await rig.connect(fairlead);
      assert.equal((await client.request(get())).status, 200);
      client.destroy();
      counts.answered += 1;
    }
  };
  const knocking = Promise.all([speak(), speak(), ask(), ask()]);
  knocking.catch(() => {});
  const answer = await upgrade(rig);
  assert.deepEqual([answer.code, answer.stderr], [0, '']);
  const [successor] = pidsOf(fairlead);
  assert.equal(answer.stdout, `process ${successor} has taken over\n`);
  await Promise.all(old.map(({ client }) => client.expectClosing(1012)));
  // What was accepted by the old process is answered by it.
  const last = await fresh.request(get());
  assert.deepEqual([last.status, last.head.get('connection')], [200, 'close']);
  await fresh.expectEnd();
  await kept.expectEnd();
  await oldEnds(fairlead);
  const before = { ...counts };
  await eventually(() => counts.echoed > before.echoed && counts.answered > before.answered, 'more of them');
  stop = true;
  await knocking;
  assert.match(fairlead.stderr, /took over/);
  assert.ok(counts.echoed > 10 && counts.answered > 10, JSON.stringify(counts));
  assert.ok(fairlead.log.some((one) => one.reason === 'moved' && one.close_code === 1012));
  const status = await Fairlead.command(rig, ['status', '--json', '--admin', `unix:${path.join(rig.directory(), 'admin.sock')}`]);
  assert.equal(JSON.parse(status.stdout).pid, successor);
  assert.deepEqual(JSON.parse(status.stdout).upgrade, { state: 'done', pid: successor });
});

scenario('a successor that fails changes nothing, and says why', async (rig) => {
  const [backend, other] = [await echo(rig, 'a'), await echo(rig, 'b')];
  const settings = { servers: [backend.address] };
  const fairlead = await run(rig, settings);
  const { client } = await open(rig, fairlead);
  const file = path.join(rig.directory(), 'fairlead.toml');
  const good = fs.readFileSync(file, 'utf8');
  fs.writeFileSync(file, `${good}\n[[lisener]]\n`);
  let answer = await upgrade(rig);
  assert.equal(answer.code, 1);
  assert.match(answer.stderr, /^fairlead: the upgrade failed, nothing changed: process \d+ ended with exit code 1: /);
  assert.match(answer.stderr, /fairlead\.toml:\d+:\d+: unknown key "lisener" \(did you mean "listener"\?\)/);
  assert.match(fairlead.stderr, /error: upgrade failed, this process goes on: /);
  fs.writeFileSync(file, `${good}\n[[listener]]\naddress = "${other.address}"\n`);
  answer = await upgrade(rig);
  assert.equal(answer.code, 1);
  assert.match(answer.stderr, /cannot listen on .*: bind: Address already in use/);
  fs.writeFileSync(file, good);
  client.sendText('as before');
  await client.expectText('as before');
  const status = await Fairlead.command(rig, ['status', '--admin', `unix:${path.join(rig.directory(), 'admin.sock')}`]);
  assert.match(status.stdout, /upgrade +failed, process \d+/);
  assert.match(status.stdout, /state +serving/);
  for (const pid of pidsOf(fairlead)) assert.equal(isAlive(pid), false);
});

scenario('an upgrade during an upgrade is refused, and TERM ends what was to come', async (rig) => {
  const backend = await echo(rig, 'a');
  const program = path.join(rig.directory(), 'fairlead');
  const put = (make) => {
    make(`${program}.new`);
    fs.renameSync(`${program}.new`, program);
  };
  const script = (text) => put((file) => fs.writeFileSync(file, `#!/bin/sh\n${text}\n`, { mode: 0o755 }));
  put((file) => fs.symlinkSync(kBinary, file));
  const fairlead = await run(rig, { servers: [backend.address] }, { command: [program] });
  const failure = async () => {
    const answer = await upgrade(rig);
    assert.equal(answer.code, 1);
    return answer.stderr;
  };
  // What stands at the program's path now is what is started.
  fs.rmSync(program);
  assert.match(await failure(), /cannot start .*fairlead: No such file or directory/);
  script('exit 7');
  assert.match(await failure(), /ended with exit code 7: it did not come to serve/);
  script('exec sleep 60');
  fairlead.signal('SIGUSR2');
  await fairlead.until(() => pidsOf(fairlead).length === 2, 'it is started');
  const hanging = pidsOf(fairlead)[1];
  fairlead.signal('SIGUSR2');
  const refusal = `an upgrade is under way: process ${hanging} is starting`;
  await fairlead.until(() => fairlead.stderr.includes(`USR2: ${refusal}`), 'the refusal');
  assert.ok((await failure()).includes(refusal));
  const { client } = await open(rig, fairlead);
  client.sendText('as before');
  await client.expectText('as before');
  fairlead.signal('SIGTERM');
  await client.expectClosing(1001);
  await oldEnds(fairlead);
  assert.equal(isAlive(hanging), false);
});

scenario('USR2 hands over as the command does, and so does the new process in its turn', async (rig) => {
  const backend = await echo(rig, 'a');
  const fairlead = await run(rig, { servers: [backend.address] });
  const { client } = await open(rig, fairlead);
  fairlead.signal('SIGUSR2');
  await fairlead.until(() => fairlead.stderr.includes('took over'), 'the hand-over');
  await client.expectClosing(1012);
  await oldEnds(fairlead);
  const [second] = pidsOf(fairlead);
  const young = await open(rig, fairlead);
  process.kill(second, 'SIGUSR2');
  const twice = () => fairlead.stderr.match(/took over/g).length === 2;
  await fairlead.until(twice, 'the second hand-over');
  await young.client.expectClosing(1012);
  await eventually(() => !isAlive(second), 'the second process ends');
  assert.equal((await open(rig, fairlead)).head.status, 101);
});

// A TLS connection: whether it was resumed, and its ticket.
async function greet(port, session) {
  const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, session });
  const saved = new Promise((resolve) => socket.once('session', resolve));
  await within(new Promise((resolve) => socket.once('secureConnect', resolve)), 'TLS');
  const resumed = socket.isSessionReused();
  const ticket = session ? undefined : await within(saved, 'a ticket');
  socket.destroy();
  return { resumed, ticket };
}

scenario('cookies, tickets and what the API has set go over, without a secret_file', async (rig) => {
  const [a, b] = [await echo(rig, 'a'), await echo(rig, 'b')];
  const fairlead = await run(rig, {
    servers: [a.address, b.address],
    backend: 'balance = "round-robin"\nsticky = {}',
    tls: rig.certificate().toml,
    more: `[[listener]]\naddress = "127.0.0.1:0"`,
  });
  const plain = () => rig.connect(fairlead, { listener: 1 });
  const first = await (await plain()).request(get());
  const cookie = first.head.get('set-cookie').split(';')[0];
  const { ticket } = await greet(fairlead.port);
  const admin = ['--admin', `unix:${path.join(rig.directory(), 'admin.sock')}`];
  assert.equal((await upgrade(rig)).code, 0);
  await oldEnds(fairlead);
  assert.equal((await greet(fairlead.port, ticket)).resumed, true);
  for (let i = 0; i < 3; ++i) {
    const again = await (await plain()).request(get('/', [`Cookie: ${cookie}`]));
    assert.deepEqual([again.body, again.head.get('set-cookie')], [first.body, undefined]);
  }
  await Fairlead.command(rig, ['drain', `pool/${a.address}`, ...admin]);
  assert.equal((await upgrade(rig)).code, 0);
  for (let i = 0; i < 2; ++i) assert.equal((await (await plain()).request(get())).body, 'b');
  assert.equal((await greet(fairlead.port, ticket)).resumed, true);
});

scenario('what was drained stays so until it is undone, a server whose name is resolved later too', async (rig) => {
  const [a, b] = [await echo(rig, 'a'), await echo(rig, 'b')];
  const dns = await DnsServer.listen(rig);
  dns.set('app.test', { A: ['127.0.0.1'] });
  const fairlead = await run(rig, {
    servers: [`app.test:${a.port}`, b.address],
    backend: 'balance = "round-robin"',
    more: `[dns]\nresolver = ["${dns.address}"]\nallow_loopback = true\nmin_ttl = "100ms"\n[[listener]]\naddress = "127.0.0.1:0"`,
  });
  const admin = ['--admin', `unix:${path.join(rig.directory(), 'admin.sock')}`];
  const command = async (...args) => {
    const got = await Fairlead.command(rig, [...args, ...admin]);
    assert.equal(got.code, 0, got.stderr);
    return got.stdout;
  };
  const status = async () => JSON.parse(await command('status', '--json'));
  const listener = (await status()).listeners[1].address;
  const body = async () => (await (await rig.connect(fairlead)).request(get())).body;
  await command('drain', `pool/127.0.0.1:${a.port}`);
  await command('drain', '--listener', listener);
  dns.set('app.test', { fail: 'nxdomain' });
  assert.equal((await upgrade(rig)).code, 0);
  const drained = async () => (await status()).drains.map((one) => one.what).sort();
  assert.deepEqual(await drained(), [`listener ${listener}`]);
  assert.equal((await open(rig, fairlead, {})).head.get('x-server'), 'b');
  dns.set('app.test', { A: ['127.0.0.1'] });
  await fairlead.until(() => fairlead.stderr.includes(`127.0.0.1:${a.port} added (dns)`), 'it is resolved');
  assert.deepEqual(await drained(), [`listener ${listener}`, `pool/127.0.0.1:${a.port}`]);
  for (let i = 0; i < 3; ++i) assert.equal(await body(), 'b');
  const refused = await rig.connect(fairlead, { listener: 1 });
  refused.send(handshakeHead({}));
  assert.equal((await refused.readHead()).status, 503);
  await command('drain', '--undo', '--listener', listener);
  await command('drain', '--undo', `pool/127.0.0.1:${a.port}`);
  assert.deepEqual(await drained(), []);
  assert.equal((await (await rig.connect(fairlead, { listener: 1 })).request(get())).status, 200);
  assert.deepEqual([await body(), await body()].sort(), ['a', 'b']);
});

scenario('what is changed while the next process starts goes over, a reload too', async (rig) => {
  const [a, b] = [await echo(rig, 'a'), await echo(rig, 'b')];
  const program = path.join(rig.directory(), 'fairlead');
  const gate = path.join(rig.directory(), 'gate');
  fs.symlinkSync(kBinary, program);
  const fairlead = await run(
    rig,
    {
      servers: [a.address, b.address],
      backend: 'balance = "round-robin"',
      more: '[[listener]]\naddress = "127.0.0.1:0"',
    },
    { command: [program] },
  );
  const admin = ['--admin', `unix:${path.join(rig.directory(), 'admin.sock')}`];
  const command = async (...args) => {
    const got = await Fairlead.command(rig, [...args, ...admin]);
    assert.equal(got.code, 0, got.stderr);
    return got.stdout;
  };
  const status = async () => JSON.parse(await command('status', '--json'));
  const listener = (await status()).listeners[1].address;
  await command('drain', '--listener', listener);
  // The next process has been given what there was, and waits at the gate.
  execFileSync('mkfifo', [gate]);
  fs.rmSync(program);
  const script = (text) => fs.writeFileSync(program, `#!/bin/sh\nread go < "${gate}"\n${text}\n`, { mode: 0o755 });
  // One that fails leaves the HUP to the old process.
  script('exit 7');
  fairlead.signal('SIGUSR2');
  await fairlead.until(() => pidsOf(fairlead).length === 1, 'it is started');
  fairlead.signal('SIGHUP');
  await fairlead.until(() => fairlead.stderr.includes('HUP: an upgrade is under way'), 'the HUP');
  fs.writeFileSync(gate, 'go\n');
  await fairlead.until(() => /this process goes on[^]*configuration reloaded/.test(fairlead.stderr), 'its reload');
  script(`exec "${kBinary}" "$@"`);
  fairlead.signal('SIGUSR2');
  await fairlead.until(() => pidsOf(fairlead).length === 2, 'it is started');
  await command('drain', `pool/${a.address}`);
  await command('drain', '--undo', '--listener', listener);
  await command('drain', '--route', 'chat');
  const refused = await Fairlead.command(rig, ['reload', ...admin]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /an upgrade is under way: ask again once the new process serves/);
  fairlead.signal('SIGHUP');
  await fairlead.until(() => fairlead.stderr.split('HUP: an upgrade is under way').length === 3, 'the HUP');
  assert.equal(fairlead.stderr.split('configuration reloaded').length, 2);
  fs.writeFileSync(gate, 'go\n');
  await fairlead.until(() => /took over[^]*configuration reloaded/.test(fairlead.stderr), 'the reload');
  await oldEnds(fairlead);
  const drained = (await status()).drains.map((one) => one.what).sort();
  assert.deepEqual(drained, [`pool/${a.address}`, 'route chat']);
  const plain = await rig.connect(fairlead, { listener: 1 });
  for (let i = 0; i < 3; ++i) assert.equal((await plain.request(get())).body, 'b');
  assert.match(fairlead.stderr, /taking 4 changes over that were made meanwhile/);
});

const activated = (...kinds) => [kPython, kParent, 'start', ...kinds, '--', kBinary];

scenario('sockets from a parent: listeners and the admin endpoint find theirs', async (rig) => {
  const backend = await echo(rig, 'a');
  const door = path.join(rig.directory(), 'door.sock');
  const admin = path.join(rig.directory(), 'admin.sock');
  const fairlead = await rig.run(
    {
      ...settingsOf(rig, { servers: [backend.address], address: '127.0.0.1:${PORT0}' }),
      more: `[admin]\nlisten = "unix:${admin}"\n[[listener]]\naddress = "unix:${door}"\n[[listener]]\naddress = "127.0.0.1:0"`,
    },
    { command: activated('tcp', `unix:${door}`, `unix:${admin}`, 'tcp', 'udp') },
  );
  stopSuccessors(rig, fairlead);
  await fairlead.until(() => fairlead.stderr.includes('ready: '), 'it is ready');
  assert.match(fairlead.stderr, /inherited socket 127\.0\.0\.1:\d+ belongs to no listener: closed/);
  assert.match(fairlead.stderr, /inherited descriptor 7 \(udp\) is no stream socket: it is not used/);
  const ask = async (options) => (await (await rig.connect(fairlead, options)).request(get())).body;
  assert.equal(await ask(), 'a');
  assert.equal(await ask({ target: { path: door } }), 'a');
  assert.equal(await ask({ listener: 2 }), 'a'); // bound by itself
  // They go on to the next process, and their files stay.
  const inode = fs.statSync(door).ino;
  assert.equal((await upgrade(rig)).code, 0);
  await oldEnds(fairlead);
  assert.equal(fs.statSync(door).ino, inode);
  assert.equal(await ask(), 'a');
  assert.equal(await ask({ target: { path: door } }), 'a');
  assert.equal(await ask({ listener: 2 }), 'a');
});

// What a service manager gets: { address, messages (objects by name), until }.
async function manager(rig, address) {
  const child = spawn(kPython, [kParent, 'notify', address], { stdio: ['ignore', 'pipe', 'inherit'] });
  rig.keep({ destroy: () => child.kill('SIGKILL') });
  const changes = new Changes();
  const made = { address, bound: false, messages: [], until: (...args) => changes.until(...args) };
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      if (line === 'bound') made.bound = true;
      else made.messages.push(Object.fromEntries(JSON.parse(line).trim().split('\n').map((one) => one.split(/=(.*)/).slice(0, 2))));
    }
    changes.touch();
  });
  await changes.until(() => made.bound, 'the manager listens');
  return made;
}

scenario('a service manager is told of the start, reloads, the hand-over, signs of life and the end', async (rig) => {
  const backend = await echo(rig, 'a');
  const notified = await manager(rig, `@fairlead-e2e-${process.pid}`);
  const settings = { servers: [backend.address] };
  const fairlead = await run(rig, settings, {
    env: { NOTIFY_SOCKET: notified.address, WATCHDOG_USEC: '200000' },
  });
  const seen = (predicate) => notified.until(() => notified.messages.find(predicate), `a message: ${predicate}`);
  const ready = await seen((one) => one.READY);
  assert.equal(ready.MAINPID, String(fairlead.child.pid));
  assert.match(ready.STATUS, /^serving, version /);
  const signs = () => notified.messages.filter((one) => one.WATCHDOG && !one.MAINPID).length;
  await notified.until(() => signs() >= 3, 'signs of life');
  fairlead.signal('SIGHUP');
  const reloading = await seen((one) => one.RELOADING);
  const now = Number(fs.readFileSync('/proc/uptime', 'latin1').split(' ')[0]) * 1e6;
  assert.ok(Math.abs(Number(reloading.MONOTONIC_USEC) - now) < 60e6, reloading.MONOTONIC_USEC);
  await seen((one) => one.READY && one.STATUS.startsWith('configuration reloaded'));
  fs.appendFileSync(path.join(rig.directory(), 'fairlead.toml'), '[x]\n');
  fairlead.signal('SIGHUP');
  await seen((one) => one.READY && one.STATUS.startsWith('reload failed'));
  fs.writeFileSync(path.join(rig.directory(), 'fairlead.toml'), config(settingsOf(rig, settings)));
  assert.equal((await upgrade(rig)).code, 0);
  const [successor] = pidsOf(fairlead);
  const handed = await seen((one) => one.MAINPID === String(successor));
  assert.equal(handed.WATCHDOG, '1');
  assert.equal(notified.messages.some((one) => one.STOPPING), false);
  await oldEnds(fairlead);
  await seen((one) => one.READY && one.STATUS.startsWith('serving') && one.MAINPID === String(successor));
  const before = signs();
  await notified.until(() => signs() >= before + 2, 'signs of life of the new process');
  process.kill(successor, 'SIGTERM');
  assert.ok(Number((await seen((one) => one.STOPPING)).EXTEND_TIMEOUT_USEC) >= 5e6);
});

scenario('signs of life that are wanted of another process are not given', async (rig) => {
  const address = path.join(rig.directory(), 'notify.sock');
  const notified = await manager(rig, address);
  const fairlead = await rig.run(
    { servers: ['127.0.0.1:1'] },
    { env: { NOTIFY_SOCKET: address, WATCHDOG_USEC: '20000', WATCHDOG_PID: '1' } },
  );
  await notified.until(() => notified.messages.length === 1, 'READY');
  await fairlead.stop();
  await notified.until(() => notified.messages.some((one) => one.STOPPING), 'STOPPING');
  assert.equal(notified.messages.some((one) => one.WATCHDOG), false);
});

scenario('the demo cannot be handed over, and says so', async (rig) => {
  const fairlead = await Fairlead.start(rig, ['demo', '--listen', '127.0.0.1:0']);
  fairlead.signal('SIGUSR2');
  await fairlead.until(() => fairlead.stderr.includes('USR2: its backends live in this process'), 'the refusal');
});
