// Reload on HUP: what a good file brings, what a bad one leaves alone, and who never notices.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';
import { eventually, within } from './lib/deadline.js';
import { echo } from './lib/echo.js';
import { handshakeHead } from './lib/frames.js';
import { Fairlead, Rig, config, scenario } from './lib/rig.js';

const kOutcome = /configuration reloaded|reload failed/g;
const kGet = 'GET /page HTTP/1.1\r\nHost: chat.example.com\r\n\r\n';

const outcomes = (fairlead) => fairlead.stderr.match(kOutcome)?.length ?? 0;

// Writes the file (text, or config()'s settings), sends HUP and waits for the outcome: its log line.
async function reload(rig, fairlead, settings) {
  const text = typeof settings === 'string' ? settings : config(settings);
  fs.writeFileSync(path.join(rig.directory(), 'fairlead.toml'), text);
  const before = outcomes(fairlead);
  fairlead.signal('SIGHUP');
  await fairlead.until(() => outcomes(fairlead) > before, 'the outcome of a reload');
  return fairlead.stderr
    .split('\n')
    .filter((line) => line.match(kOutcome))
    .at(-1);
}

async function open(rig, fairlead, { fields = {}, connect = {}, target } = {}) {
  const client = await rig.connect(fairlead, connect);
  client.send(handshakeHead({ fields, ...(target ? { path: target } : {}) }));
  const head = await client.readHead();
  if (head.status !== 101) await client.readBody(head);
  return { client, head, status: head.status, server: head.get('x-server') };
}

async function speaks(session, text) {
  session.client.sendText(text);
  await session.client.expectText(text);
}

const route = (path_, backend, name = backend) =>
  `[[route]]\nname = "${name}"\npath = "${path_}"\nbackend = "${backend}"`;
const pool = (name, ...servers) =>
  `[[backend]]\nname = "${name}"\nservers = [${servers.map((one) => `"${one}"`).join(', ')}]`;

scenario('a bad file changes nothing, and every problem is said as check says it', async (rig) => {
  const backend = await echo(rig, 'a');
  const settings = { servers: [backend.address] };
  const fairlead = await rig.run(settings);
  const session = await open(rig, fairlead);
  const bad = config({
    ...settings,
    route: 'orgins = []\npath = "/new"',
    websocket: 'max_message = "many"',
  });
  const line = await reload(rig, fairlead, bad);
  assert.match(line, /error: reload failed, nothing changed: 2 problems$/);
  assert.match(fairlead.stderr, /fairlead\.toml:\d+:\d+: route "chat": unknown key "orgins"/);
  assert.match(fairlead.stderr, /fairlead\.toml:\d+:\d+: .*max_message/);
  await speaks(session, 'as before');
  assert.equal((await open(rig, fairlead, { target: '/elsewhere' })).status, 101);
  assert.match(await reload(rig, fairlead, '[server'), /nothing changed: 1 problem$/);
  fs.rmSync(path.join(rig.directory(), 'fairlead.toml'));
  fairlead.signal('SIGHUP');
  await fairlead.until(() => outcomes(fairlead) === 3, 'the outcome');
  assert.match(await reload(rig, fairlead, settings), /configuration reloaded: 1 listener, 1 route/);
  await speaks(session, 'still here');
});

scenario('a new route serves new requests, those of a kept connection too', async (rig) => {
  const [first, second] = [await echo(rig, 'first'), await echo(rig, 'second')];
  const settings = { servers: [first.address] };
  const fairlead = await rig.run(settings);
  const session = await open(rig, fairlead);
  const kept = await rig.connect(fairlead);
  assert.equal((await kept.request(kGet)).body, 'first');
  const line = await reload(rig, fairlead, {
    ...settings,
    more: `${route('/page', 'more')}\n${pool('more', second.address)}`,
  });
  assert.match(line, /2 routes \(1 added\), 2 backends \(1 added\), 2 servers \(1 added\)$/);
  assert.equal((await kept.request(kGet)).body, 'second');
  assert.equal((await open(rig, fairlead, { target: '/page' })).server, 'second');
  assert.equal((await open(rig, fairlead)).server, 'first');
  await speaks(session, 'as before');
  await reload(rig, fairlead, settings);
  assert.equal((await kept.request(kGet)).body, 'first');
});

scenario('a session keeps the limits it began with, the next has the new', async (rig) => {
  const backend = await echo(rig, 'a');
  const fairlead = await rig.run({ servers: [backend.address] });
  const old = await open(rig, fairlead);
  await reload(rig, fairlead, { servers: [backend.address], websocket: 'max_message = 10' });
  await speaks(old, 'much more than ten bytes');
  const young = await open(rig, fairlead);
  await young.client.sendText('much more than ten bytes');
  await young.client.expectClose(1009);
});

scenario('an exchange under way is finished by the route it began with', async (rig) => {
  const slow = await rig.backend();
  const other = await echo(rig, 'other');
  const fairlead = await rig.run({ servers: [slow.address] });
  const client = await rig.connect(fairlead);
  client.send(kGet);
  const server = await slow.accept();
  await server.readHead();
  server.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst');
  await client.until(() => client.buffer.includes('first'), 'the first half');
  await reload(rig, fairlead, { servers: [other.address] });
  server.send('later');
  assert.equal((await client.readAnswer()).body, 'firstlater');
  assert.equal((await client.request(kGet)).body, 'other');
});

scenario('listeners come and go; sessions of a removed one stay', async (rig) => {
  const backend = await echo(rig, 'a');
  const plain = (address) => `[[listener]]\naddress = "${address}"`;
  const settings = { servers: [backend.address] };
  const fairlead = await rig.run({ ...settings, more: plain('127.0.0.2:0') });
  const [kept, gone] = fairlead.addresses;
  const at = (address) => {
    const [host, port] = address.split(':');
    return { target: { host, port: Number(port) } };
  };
  const old = await open(rig, fairlead, { connect: at(gone) });
  const waiting = await rig.connect(fairlead, at(gone)); // asks nothing yet
  const idle = await rig.connect(fairlead, at(gone));
  assert.equal((await idle.request(kGet)).body, 'a');
  const line = await reload(rig, fairlead, { ...settings, more: plain('127.0.0.3:0') });
  assert.match(line, /reloaded: 2 listeners \(1 added, 1 removed\)/);
  const added = fairlead.addresses.at(-1);
  assert.match(added, /^127\.0\.0\.3:/);
  assert.equal((await open(rig, fairlead, { connect: at(kept) })).status, 101);
  assert.equal((await open(rig, fairlead, { connect: at(added) })).status, 101);
  await assert.rejects(rig.connect(fairlead, at(gone)), /ECONNREFUSED/);
  await speaks(old, 'still here');
  for (const client of [waiting, idle]) {
    const last = await client.request(kGet);
    assert.deepEqual([last.status, last.head.get('connection')], [200, 'close']);
    await client.expectEnd();
  }
});

scenario('a kept listener refuses nobody while reloads go on', async (rig) => {
  const backend = await echo(rig, 'a');
  const settings = { servers: [backend.address] };
  const fairlead = await rig.run(settings);
  let stop = false;
  let connects = 0;
  const knock = async () => {
    while (!stop) {
      const client = await rig.connect(fairlead);
      assert.equal((await client.request(kGet)).body, 'a');
      client.destroy();
      connects += 1;
    }
  };
  const knocking = Promise.all([knock(), knock()]);
  for (let i = 0; i < 10; ++i)
    await reload(rig, fairlead, { ...settings, timeouts: `keepalive = "${50 + i}s"` });
  stop = true;
  await knocking;
  assert.ok(connects > 10, `${connects} connects`);
});

scenario('a listener that cannot be bound makes the reload fail as a whole', async (rig) => {
  const [backend, other] = [await echo(rig, 'a'), await echo(rig, 'b')];
  const settings = { servers: [backend.address] };
  const fairlead = await rig.run(settings);
  const line = await reload(rig, fairlead, {
    ...settings,
    route: 'path = "/new"',
    more: `[[listener]]\naddress = "127.0.0.1:0"\n[[listener]]\naddress = "${other.address}"`,
  });
  assert.match(line, /nothing changed: 1 problem$/);
  assert.match(fairlead.stderr, new RegExp(`cannot listen on ${other.address}: bind: `));
  assert.equal((await open(rig, fairlead)).status, 101);
});

// A TLS connection of its own: whether it was resumed, and the ticket it got.
async function greet(port, { session, ...options } = {}) {
  const socket = tls.connect({
    port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    session,
    ...options,
  });
  const saved = new Promise((resolve) => socket.once('session', resolve));
  await within(new Promise((resolve) => socket.once('secureConnect', resolve)), 'TLS');
  const resumed = socket.isSessionReused();
  const ticket = session ? undefined : await within(saved, 'a ticket');
  socket.destroy();
  return { resumed, ticket };
}

scenario('new handshakes see the new certificate, an old wss session goes on', async (rig) => {
  const backend = await echo(rig, 'a');
  const first = rig.certificate();
  const fairlead = await rig.run({ servers: [backend.address], tls: first.toml });
  const old = await open(rig, fairlead, { connect: { tlsOptions: {} } });
  const before = old.client.socket.getPeerCertificate().serialNumber;
  const ticket12 = (await greet(fairlead.port, { maxVersion: 'TLSv1.2' })).ticket;
  const ticket13 = (await greet(fairlead.port)).ticket;
  rig.certificate(); // the same files, another certificate
  await reload(rig, fairlead, { servers: [backend.address], tls: first.toml });
  const young = await open(rig, fairlead, { connect: { tlsOptions: {} } });
  const after = young.client.socket.getPeerCertificate().serialNumber;
  assert.notEqual(before, after);
  await speaks(old, 'under the old one');
  await speaks(young, 'under the new one');
  // Tickets of before the reload are still good.
  const again = { session: ticket12, maxVersion: 'TLSv1.2' };
  assert.equal((await greet(fairlead.port, again)).resumed, true);
  assert.equal((await greet(fairlead.port, { session: ticket13 })).resumed, true);
  // A certificate that does not fit its key changes nothing.
  fs.copyFileSync(first.key, `${first.key}.good`);
  const foreign = new Rig();
  fs.copyFileSync(foreign.certificate().key, first.key);
  await foreign.finish();
  const line = await reload(rig, fairlead, { servers: [backend.address], tls: first.toml });
  assert.match(line, /nothing changed: 1 problem$/);
  assert.match(fairlead.stderr, /it does not belong to the certificate/);
  assert.equal((await open(rig, fairlead, { connect: { tlsOptions: {} } })).status, 101);
  // With another min_version the ticket keys are new.
  fs.copyFileSync(`${first.key}.good`, first.key);
  await reload(rig, fairlead, {
    servers: [backend.address],
    tls: `${first.toml}\nmin_version = "1.3"`,
  });
  assert.equal((await greet(fairlead.port, { session: ticket13 })).resumed, false);
});

scenario('a sticky cookie without secret_file holds over a reload', async (rig) => {
  const [a, b, c] = [await echo(rig, 'a'), await echo(rig, 'b'), await echo(rig, 'c')];
  const sticky = 'balance = "round-robin"\nsticky = {}';
  const fairlead = await rig.run({ servers: [a.address, b.address], backend: sticky });
  const first = await open(rig, fairlead);
  const cookie = first.head.get('set-cookie').split(';')[0];
  for (const servers of [[c, b, a], [a, c]]) {
    await reload(rig, fairlead, { servers: servers.map((one) => one.address), backend: sticky });
    for (let i = 0; i < 3; ++i) {
      const again = await open(rig, fairlead, { fields: { Cookie: cookie } });
      assert.equal(again.server, 'a');
      assert.equal(again.head.get('set-cookie'), undefined);
    }
  }
});

scenario('open sessions are counted over reloads: per server and per address', async (rig) => {
  const [a, b] = [await echo(rig, 'a'), await echo(rig, 'b')];
  const keep = { route: 'on_removal = "keep"' };
  const only = { ...keep, servers: [a.address], limits: 'connections_per_ip = 4' };
  const both = { ...keep, servers: [a.address, b.address], limits: 'connections_per_ip = 6' };
  const fairlead = await rig.run(only);
  const old = [];
  for (let i = 0; i < 4; ++i) old.push(await open(rig, fairlead));
  assert.equal((await open(rig, fairlead)).status, 429);
  await reload(rig, fairlead, both);
  // Four are at a: least-connections gives both to b, and the address has its six then.
  for (let i = 0; i < 2; ++i) assert.equal((await open(rig, fairlead)).server, 'b');
  assert.equal((await open(rig, fairlead)).status, 429);
  // a goes, with its four sessions, and comes back with them.
  const line = await reload(rig, fairlead, { ...both, servers: [b.address] });
  assert.match(line, /1 server \(1 removed\)$/);
  assert.ok(fairlead.stderr.includes(`${a.address} was removed (4 sessions): its sessions stay`));
  await speaks(old[0], 'still here');
  await reload(rig, fairlead, { ...both, limits: 'connections_per_ip = 7' });
  assert.equal((await open(rig, fairlead)).server, 'b');
  assert.equal((await open(rig, fairlead)).status, 429);
  // One that ends is one less, whichever snapshot it belongs to.
  old[0].client.sendClose(1000);
  await fairlead.waitForClose();
  await fairlead.until(() => fairlead.log.some((one) => one.event === 'close'), 'it ends');
  assert.equal((await open(rig, fairlead)).status, 101);
});

scenario('a backend and a route that are gone for one reload are no strangers to their sessions', async (rig) => {
  const [a, b] = [await echo(rig, 'a'), await echo(rig, 'b')];
  const limits = 'limits = { connections_per_ip = 1 }\non_removal = "keep"';
  const whole = {
    servers: [b.address],
    more: [
      `${route('/full', 'full')}\non_removal = "keep"`,
      `[[backend]]\nname = "full"\nservers = [{ address = "${a.address}", max_sessions = 1 }]`,
      `${route('/mine', 'pool', 'mine')}\n${limits}`,
    ].join('\n'),
  };
  const fairlead = await rig.run(whole);
  const [full, mine] = [await open(rig, fairlead, { target: '/full' }), await open(rig, fairlead, { target: '/mine' })];
  const refused = async () => [
    (await open(rig, fairlead, { target: '/full' })).status,
    (await open(rig, fairlead, { target: '/mine' })).status,
  ];
  assert.deepEqual(await refused(), [503, 429]);
  await reload(rig, fairlead, { servers: [b.address] });
  await reload(rig, fairlead, whole);
  assert.deepEqual(await refused(), [503, 429]);
  await speaks(full, 'still here');
  full.client.destroy();
  mine.client.destroy();
  for (const target of ['/full', '/mine']) {
    await eventually(async () => (await open(rig, fairlead, { target })).status === 101, 'room again');
  }
});

scenario('max_connections below what is open: nobody is ended, nobody comes in', async (rig) => {
  const backend = await echo(rig, 'a');
  const settings = { servers: [backend.address] };
  const fairlead = await rig.run(settings);
  const sessions = [];
  for (let i = 0; i < 5; ++i) sessions.push(await open(rig, fairlead));
  await reload(rig, fairlead, { ...settings, server: 'max_connections = 3' });
  assert.equal((await open(rig, fairlead)).status, 503);
  for (const session of sessions) await speaks(session, 'still here');
  for (const { client } of sessions.splice(0, 3)) client.sendClose(1000);
  const closed = () => fairlead.log.filter((one) => one.event === 'close').length;
  await fairlead.until(() => closed() === 3, 'three ends');
  assert.equal((await open(rig, fairlead)).status, 101);
});

scenario('what needs a restart is said and kept', async (rig) => {
  const backend = await echo(rig, 'a');
  const settings = { servers: [backend.address] };
  const fairlead = await rig.run(settings);
  for (let i = 0; i < 2; ++i) {
    await reload(rig, fairlead, {
      ...settings,
      server: 'workers = 3',
      more: '[log]\naccess = "off"\nlevel = "debug"',
    });
  }
  assert.equal(fairlead.stderr.match(/server\.workers has changed: it takes effect/g).length, 2);
  assert.equal(fairlead.stderr.match(/log\.access has changed: it takes effect/g).length, 2);
  const { client } = await open(rig, fairlead);
  client.sendClose(1000);
  await fairlead.waitForClose(); // the access log goes on
});

scenario('without a file HUP says that there is none', async (rig) => {
  const backend = await echo(rig, 'a');
  const command = ['proxy', '--to', backend.address, '--listen', '127.0.0.1:0'];
  const fairlead = await Fairlead.start(rig, command);
  fairlead.signal('SIGHUP');
  await fairlead.until(() => fairlead.stderr.includes('HUP: started without a file'), 'the answer');
  assert.equal((await open(rig, fairlead)).status, 101);
});

scenario('HUP upon HUP, and HUP while it stops, do no harm', async (rig) => {
  const backend = await echo(rig, 'a');
  const fairlead = await rig.run({ servers: [backend.address] });
  const session = await open(rig, fairlead);
  for (let i = 0; i < 50; ++i) fairlead.signal('SIGHUP');
  await fairlead.until(() => outcomes(fairlead) > 0, 'an outcome');
  await speaks(session, 'still here');
  fairlead.signal('SIGTERM');
  fairlead.signal('SIGHUP');
  await session.client.expectClosing(1001);
  assert.equal(await fairlead.ended(), 0);
});

// FAIRLEAD_RELOADS=200 FAIRLEAD_RELOAD_SESSIONS=2000 is the long run, with one message a session
// and second; the memory is told.
const kReloads = Number(process.env.FAIRLEAD_RELOADS ?? 20);
const kSessions = Number(process.env.FAIRLEAD_RELOAD_SESSIONS ?? 50);
const kLong = kSessions > 200;
const kName = `${kSessions} sessions with traffic live through ${kReloads} reloads`;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// KiB
function resident(fairlead) {
  const status = fs.readFileSync(`/proc/${fairlead.child.pid}/status`, 'latin1');
  return Number(status.match(/VmRSS:\s+(\d+)/)[1]);
}

scenario(kName, { timeout: 900_000 }, async (rig, t) => {
  const [a, b] = [await echo(rig, 'a'), await echo(rig, 'b')];
  const common = { route: 'on_removal = "keep"', limits: 'connections_per_ip = 100000' };
  const first = { ...common, servers: [a.address, b.address] };
  const second = {
    ...common,
    servers: [b.address],
    more: `[[listener]]\naddress = "127.0.0.1:0"
      ${route('/more', 'more')}\n${pool('more', a.address)}`,
  };
  const fairlead = await rig.run(first);
  const sessions = [];
  for (let i = 0; i < kSessions; ++i) sessions.push(await open(rig, fairlead));
  let stop = false;
  let messages = 0;
  const talk = async (session, number) => {
    for (let i = 0; !stop; ++i) {
      await speaks(session, `${number}: ${i}`);
      messages += 1;
      if (kLong) await pause(1000);
    }
  };
  const talking = Promise.all(sessions.map(talk));
  talking.catch(() => {}); // awaited below
  const sizes = [resident(fairlead)];
  for (let i = 1; i <= kReloads; ++i) {
    assert.match(await reload(rig, fairlead, i % 2 ? second : first), /configuration reloaded/);
    if (i % Math.ceil(kReloads / 10) === 0) sizes.push(resident(fairlead));
    if (kLong) await pause(100);
  }
  stop = true;
  await talking;
  assert.equal(fairlead.log.filter((entry) => entry.event !== 'open').length, 0);
  await Promise.all(sessions.map((session, number) => speaks(session, `last of ${number}`)));
  assert.equal(fairlead.exit, null); // one process, from beginning to end
  t.diagnostic(`${messages} messages; resident KiB: ${sizes.join(' ')}`);
});
