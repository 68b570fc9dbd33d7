// Servers given by name: what the DNS says becomes servers, and what it no longer says does not.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { eventually, within } from './lib/deadline.js';
import { DnsServer } from './lib/dns.js';
import { handshakeHead } from './lib/frames.js';
import { Fairlead, config, scenario } from './lib/rig.js';

// A backend that agrees to every handshake and says who it is; it echoes text.
function named(rig, name, options) {
  return rig.backend({
    ...options,
    onPeer: async (peer) => {
      try {
        peer.answer101(await peer.readHead(60_000), { 'X-Server': name });
        for (;;) {
          const got = await peer.nextFrame(60_000);
          if (got === null || got.op === 8) return peer.end();
          peer.sendFrame({ op: got.op, payload: got.payload });
        }
      } catch {
        peer.destroy();
      }
    },
  });
}

// Backends on 127.0.0.1, .2 ... with one port: { port, all }.
async function row(rig, count) {
  const first = await named(rig, '127.0.0.1');
  const all = [first];
  for (let i = 2; i <= count; i += 1) {
    const host = `127.0.0.${i}`;
    all.push(await named(rig, host, { host, port: first.port }));
  }
  return { port: first.port, all };
}

const resolving = (dns, more = 'timeout = "200ms"') =>
  `[dns]\nresolver = ["${dns.address}"]\nallow_loopback = true\nmin_ttl = "100ms"\n${more}\n[admin]\nlisten = "127.0.0.1:0"`;

async function run(rig, dns, settings, more) {
  const fairlead = await rig.run({ more: resolving(dns, more), ...settings });
  await fairlead.until(() => fairlead.stderr.includes('ready: '), 'it is ready');
  return fairlead;
}

function backends(fairlead) {
  const port = fairlead.stderr.match(/admin endpoint on \S+:(\d+)/)[1];
  const answered = new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port, path: '/api/backends', agent: false }, (answer) => {
      let text = '';
      answer.on('data', (piece) => (text += piece));
      answer.on('end', () => resolve(JSON.parse(text).backends));
    });
    request.on('error', reject);
  });
  return within(answered, 'the backends');
}

const servers = async (fairlead) => (await backends(fairlead))[0].servers;
const addresses = async (fairlead) => (await servers(fairlead)).map((one) => one.address).join(' ');

const becomes = (fairlead, expected) =>
  eventually(
    async () => (await addresses(fairlead)) === expected,
    `the servers are ${expected}`,
  );

const says = (fairlead, text) =>
  fairlead.until(() => fairlead.stderr.includes(text), `the log says: ${text}`);

async function open(rig, fairlead) {
  const client = await rig.connect(fairlead);
  client.send(handshakeHead({}));
  const head = await client.readHead();
  const body = head.status === 101 ? '' : (await client.readBody(head)).toString();
  return { client, status: head.status, server: head.get('x-server'), body };
}

async function speaks(session, text) {
  session.client.sendText(text);
  await session.client.expectText(text);
}

scenario('addresses come and go with the answers', async (rig) => {
  const { port } = await row(rig, 3);
  const dns = await DnsServer.listen(rig);
  dns.set('app.test', { A: ['127.0.0.1'] });
  const fairlead = await run(rig, dns, {
    servers: [`{ address = "app.test:${port}", weight = 3, max_sessions = 50 }`],
  });
  assert.equal(await addresses(fairlead), `127.0.0.1:${port}`);
  const first = await open(rig, fairlead);
  assert.equal(first.server, '127.0.0.1');
  dns.set('app.test', { A: ['127.0.0.3', '127.0.0.1', '127.0.0.2'] });
  await says(fairlead, `backend "pool": 127.0.0.3:${port} added (dns)`);
  await becomes(fairlead, `127.0.0.1:${port} 127.0.0.2:${port} 127.0.0.3:${port}`);
  const [one, two] = await servers(fairlead);
  assert.deepEqual([one.sessions, two.sessions], [1, 0]);
  assert.deepEqual([one.weight, two.resolved_from], [3, `app.test:${port}`]);
  await dns.again('app.test', 2); // the workers have it by then
  const seen = new Set();
  for (let i = 0; i < 2; i += 1) seen.add((await open(rig, fairlead)).server);
  assert.deepEqual([...seen].sort(), ['127.0.0.2', '127.0.0.3']);
  dns.set('app.test', { A: ['127.0.0.2'] });
  await says(fairlead, `backend "pool": 127.0.0.1:${port} gone (dns)`);
  await becomes(fairlead, `127.0.0.2:${port}`);
  await dns.again('app.test', 2);
  for (let i = 0; i < 3; i += 1) assert.equal((await open(rig, fairlead)).server, '127.0.0.2');
  // Only the order is another one, again and again: nothing to say.
  dns.set('app.test', { A: ['127.0.0.3', '127.0.0.2'] });
  const added = () => fairlead.stderr.match(/127\.0\.0\.3:\d+ added/g).length;
  await fairlead.until(() => added() === 2, 'it is back');
  const changes = () => fairlead.stderr.match(/\(dns\)/g).length;
  const before = changes();
  dns.set('app.test', { A: ['127.0.0.2', '127.0.0.3'] });
  await dns.again('app.test', 4);
  assert.equal(changes(), before);
  assert.doesNotMatch(fairlead.stderr, /reloaded/);
});

scenario('a name server that fails or forgets takes no server away', async (rig) => {
  const { port } = await row(rig, 2);
  const dns = await DnsServer.listen(rig);
  dns.set('app.test', { A: ['127.0.0.1'] });
  dns.set('other.test', { A: ['127.0.0.2'] });
  const fairlead = await run(rig, dns, { servers: [`app.test:${port}`, `other.test:${port}`] });
  dns.set('app.test', { fail: 'nxdomain' });
  await says(fairlead, 'cannot resolve "app.test": there is no such name; its 1 address stays');
  // Answers that are none: noise, another question's, a record that is longer than the message.
  const noise = Buffer.alloc(100, 0xc0);
  const cut = Buffer.concat([
    Buffer.from([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]),
    Buffer.from('\x05other\x04test\x00\x00\x01\x00\x01', 'latin1'),
    Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 200, 1, 2, 3, 4]),
  ]);
  dns.set('other.test', { fail: cut });
  await says(fairlead, 'cannot resolve "other.test": ');
  dns.set('other.test', { fail: noise });
  await dns.again('other.test', 2);
  assert.equal(await addresses(fairlead), `127.0.0.1:${port} 127.0.0.2:${port}`);
  assert.equal((await open(rig, fairlead)).status, 101);
  dns.set('other.test', { A: ['127.0.0.2'] });
  dns.set('app.test', { A: ['127.0.0.1'] });
  await says(fairlead, '"app.test" is resolved now');
  await says(fairlead, '"other.test" is resolved now');
});

scenario('IPv6 next to IPv4: a family without an answer takes nothing of that family away', async (rig) => {
  const dns = await DnsServer.listen(rig);
  dns.set('app.test', { A: ['127.0.0.1'], AAAA: ['::1'] });
  const fairlead = await run(rig, dns, { servers: ['app.test:9'] });
  const all = await addresses(fairlead);
  if (all === '127.0.0.1:9') return; // a machine without IPv6
  assert.equal(all, '127.0.0.1:9 [::1]:9');
  dns.set('app.test', { A: ['127.0.0.2'], fail: 'servfail', only: 'AAAA' });
  await becomes(fairlead, '127.0.0.2:9 [::1]:9');
  dns.set('app.test', { A: ['127.0.0.2'] });
  await becomes(fairlead, '127.0.0.2:9');
});

scenario('a service: ports, weights and priorities are the DNS server’s', async (rig) => {
  const [one, two, spare] = [await named(rig, 'one'), await named(rig, 'two'), await named(rig, 'spare')];
  const dns = await DnsServer.listen(rig);
  const service = (weight) => ({
    SRV: [
      { priority: 1, weight, port: one.port, target: 'a.test' },
      { priority: 1, weight: 1, port: two.port, target: 'a.test' },
      { priority: 5, weight: 7, port: spare.port, target: 'b.test' },
    ],
  });
  dns.set('_ws._tcp.test', service(1000));
  for (const name of ['a.test', 'b.test']) dns.set(name, { A: ['127.0.0.1'] });
  const fairlead = await run(rig, dns, { servers: ['srv:_ws._tcp.test'] });
  const weights = async () =>
    Object.fromEntries((await servers(fairlead)).map((each) => [each.address, each.weight]));
  assert.deepEqual(await weights(), { [one.address]: 1000, [two.address]: 1, [spare.address]: 7 });
  for (let i = 0; i < 3; i += 1) assert.equal((await open(rig, fairlead)).server, 'one');
  dns.set('_ws._tcp.test', service(2));
  await eventually(async () => (await weights())[one.address] === 2, 'the new weight');
  await one.close();
  await two.close();
  const { status, server } = await open(rig, fairlead);
  assert.deepEqual([status, server], [101, 'spare']);
  // "." is an answer: there is no such service (RFC 2782).
  dns.set('_ws._tcp.test', { SRV: [{ port: 0, target: '.' }] });
  await becomes(fairlead, '');
  await eventually(async () => (await open(rig, fairlead)).status === 503, 'a refusal');
});

scenario('a name that does not exist yet is no failed start', async (rig) => {
  const { port } = await row(rig, 1);
  const dns = await DnsServer.listen(rig);
  const fairlead = await run(rig, dns, { servers: [`app.test:${port}`] });
  assert.match(fairlead.stderr, /cannot resolve "app.test": there is no such name; no servers/);
  const refused = await open(rig, fairlead);
  assert.equal(refused.status, 503);
  assert.match(refused.body, /no_server/);
  dns.set('app.test', { A: ['127.0.0.1'], truncated: true });
  await says(fairlead, `127.0.0.1:${port} added (dns)`);
  await eventually(async () => (await open(rig, fairlead)).status === 101, 'a session');
});

scenario('a silent name server delays the start by its timeouts, then it counts', async (rig) => {
  const { port } = await row(rig, 1);
  const dns = await DnsServer.listen(rig);
  dns.set('app.test', { fail: 'silent' });
  const fairlead = await run(rig, dns, { servers: [`app.test:${port}`] });
  assert.match(fairlead.stderr, /cannot resolve "app.test": no name server answered in time/);
  dns.set('app.test', { A: ['127.0.0.1'] });
  await says(fairlead, `127.0.0.1:${port} added (dns)`);
});

scenario('a signal ends a start that waits for a name', async (rig) => {
  const dns = await DnsServer.listen(rig);
  dns.set('app.test', { fail: 'silent' });
  const file = path.join(rig.directory(), 'fairlead.toml');
  fs.writeFileSync(file, config({ servers: ['app.test:9'], more: resolving(dns, 'timeout = "1m"') }));
  const asked = dns.again('app.test');
  const fairlead = await Fairlead.start(rig, ['run', '-c', file], { listeners: 0 });
  await asked;
  fairlead.signal('SIGHUP');
  fairlead.signal('SIGTERM');
  assert.equal(await fairlead.ended(3000), 0);
  assert.doesNotMatch(fairlead.stderr, /ready/);
});

scenario('the hosts file has localhost, and needs no name server', async (rig) => {
  const { port } = await row(rig, 1);
  const dns = await DnsServer.listen(rig);
  const fairlead = await run(rig, dns, { servers: [`localhost:${port}`, `127.0.0.1:${port}`] });
  assert.equal((await addresses(fairlead)).split(' ')[0], `127.0.0.1:${port}`);
  assert.deepEqual(dns.asked, []);
  assert.equal((await open(rig, fairlead)).server, '127.0.0.1');
});

scenario('a reload waits for new names, and serves on meanwhile', async (rig) => {
  const { port } = await row(rig, 2);
  const dns = await DnsServer.listen(rig);
  dns.set('app.test', { A: ['127.0.0.2'] });
  const settings = { servers: [`127.0.0.1:${port}`] };
  const fairlead = await run(rig, dns, settings, 'timeout = "1s"');
  const session = await open(rig, fairlead);
  const reload = (next) => {
    const text = config({ more: resolving(dns, 'timeout = "1s"'), ...next });
    fs.writeFileSync(path.join(rig.directory(), 'fairlead.toml'), text);
    fairlead.signal('SIGHUP');
  };
  // The name leads to the server that was written out before: it stays the same one.
  dns.set('app.test', { fail: 'silent' });
  reload({ servers: [`app.test:${port}`] });
  await dns.again('app.test');
  assert.equal((await open(rig, fairlead)).server, '127.0.0.1');
  assert.doesNotMatch(fairlead.stderr, /reloaded/);
  dns.set('app.test', { A: ['127.0.0.1', '127.0.0.2'], ttl: 10 });
  await says(fairlead, 'configuration reloaded: ');
  assert.match(fairlead.stderr, /1 backend, 2 servers \(1 added\)\n/);
  assert.deepEqual(
    (await servers(fairlead)).map((one) => one.sessions),
    [2, 0],
  );
  await speaks(session, 'as before');
  // What is known is not asked for again.
  const asked = dns.asked.length;
  reload({ servers: [`app.test:${port}`], route: 'path = "/chat"' });
  await fairlead.until(() => fairlead.stderr.match(/reloaded/g).length === 2, 'the second reload');
  assert.equal(dns.asked.length, asked);
  assert.equal((await servers(fairlead)).length, 2);
});
