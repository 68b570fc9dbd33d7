// Which server a session gets, and what happens when servers are not there.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { deadPort } from './lib/backend.js';
import { eventually, within } from './lib/deadline.js';
import { Peer } from './lib/peer.js';
import { handshakeHead } from './lib/frames.js';
import { scenario } from './lib/rig.js';

// A backend that agrees to every handshake, says who it is, and counts its sessions.
async function member(rig, options = {}) {
  const backend = await rig.backend({
    ...options,
    onPeer: async (peer) => {
      backend.served += 1;
      await peer.oblige({ fields: { 'X-Server': backend.address } }).catch(() => {});
    },
  });
  backend.served = 0;
  return backend;
}

async function open(rig, fairlead, fields = {}, connect = {}) {
  const client = await rig.connect(fairlead, connect);
  client.send(handshakeHead({ fields }));
  const head = await client.readHead();
  return { client, head, status: head.status, server: head.get('x-server') };
}

async function openAll(rig, fairlead, n) {
  for (let i = 0; i < n; ++i) assert.equal((await open(rig, fairlead)).status, 101);
}

const served = (members) => members.map((one) => one.served);

// A port whose queue of connections is full: further ones get no answer at all.
async function silentPort(rig) {
  const child = spawn(
    '/usr/bin/python3',
    [
      '-c',
      'import socket, sys\ns = socket.socket()\ns.bind(("127.0.0.1", 0))\ns.listen(0)\nprint(s.getsockname()[1], flush=True)\nsys.stdin.read()',
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  rig.keep({ destroy: () => child.kill('SIGKILL') });
  const port = Number(
    await within(new Promise((resolve) => child.stdout.once('data', resolve)), 'a silent port'),
  );
  for (let i = 0; i < 8; ++i) {
    const filled = await within(
      Peer.connect(port).then(
        (peer) => rig.keep(peer),
        () => {},
      ),
      'connected',
      300,
    ).then(
      () => false,
      () => true,
    );
    if (filled) return port;
  }
  throw new Error('the queue of connections does not fill');
}

scenario('least-connections spreads open sessions exactly', async (rig) => {
  const members = await Promise.all([member(rig), member(rig), member(rig)]);
  const fairlead = await rig.run({ servers: members.map((one) => one.address) });
  await openAll(rig, fairlead, 9);
  assert.deepEqual(served(members), [3, 3, 3]);
});

scenario('least-connections gives the next sessions to the server that lost some', async (rig) => {
  const members = await Promise.all([member(rig), member(rig)]);
  const fairlead = await rig.run({ servers: members.map((one) => one.address) });
  const sessions = [];
  for (let i = 0; i < 6; ++i) sessions.push(await open(rig, fairlead));
  assert.deepEqual(served(members), [3, 3]);
  const lost = sessions.filter((one) => one.server === members[0].address).slice(0, 2);
  for (const one of lost) one.client.destroy();
  await fairlead.until(
    () => fairlead.log.filter((entry) => entry.event === 'close').length === 2,
    'two sessions ended',
  );
  await openAll(rig, fairlead, 2);
  assert.deepEqual(served(members), [5, 3]);
});

scenario('least-connections counts by weight', async (rig) => {
  const members = await Promise.all([member(rig), member(rig)]);
  const fairlead = await rig.run({
    servers: [`{ address = "${members[0].address}", weight = 3 }`, members[1].address],
  });
  await openAll(rig, fairlead, 8);
  assert.deepEqual(served(members), [6, 2]);
});

scenario('round-robin takes turns by weight', async (rig) => {
  const members = await Promise.all([member(rig), member(rig), member(rig)]);
  const fairlead = await rig.run({
    servers: [
      `{ address = "${members[0].address}", weight = 5 }`,
      members[1].address,
      members[2].address,
    ],
    backend: 'balance = "round-robin"',
  });
  await openAll(rig, fairlead, 14);
  assert.deepEqual(served(members), [10, 2, 2]);
});

// --- Sticky sessions ---

const kSticky = 'balance = "round-robin"\nsticky = { cookie = "fairlead" }';
const cookieOf = (head) => head.all('set-cookie').find((one) => one.startsWith('fairlead='));
const pairOf = (cookie) => cookie.split(';')[0];

scenario('the sticky cookie comes with the 101 and is honoured', async (rig) => {
  const members = await Promise.all([member(rig), member(rig), member(rig)]);
  const fairlead = await rig.run({ servers: members.map((one) => one.address), backend: kSticky });
  for (let i = 0; i < 3; ++i) {
    const first = await open(rig, fairlead);
    const cookie = cookieOf(first.head);
    assert.ok(cookie, 'a cookie on the 101');
    const attributes = cookie.split(';').map((one) => one.trim().toLowerCase());
    for (const want of ['path=/', 'httponly', 'samesite=lax'])
      assert.ok(attributes.includes(want), `${want} in ${cookie}`);
    assert.ok(!attributes.includes('secure'), 'Secure over plain HTTP');
    assert.ok(!cookie.includes(String(first.server.split(':')[1])), 'the cookie names no address');
    for (let j = 0; j < 4; ++j) {
      const again = await open(rig, fairlead, { Cookie: `theme=dark; ${pairOf(cookie)}; x=y` });
      assert.equal(again.server, first.server);
    }
  }
});

scenario('a forged sticky cookie is ignored and replaced', async (rig) => {
  const members = await Promise.all([member(rig), member(rig)]);
  const fairlead = await rig.run({ servers: members.map((one) => one.address), backend: kSticky });
  const real = pairOf(cookieOf((await open(rig, fairlead)).head));
  const flipped = real.slice(0, -1) + (real.endsWith('0') ? '1' : '0');
  for (const Cookie of [
    'fairlead=0',
    'fairlead=',
    `fairlead=${members[0].address}`,
    flipped,
    `fairlead=${'a'.repeat(4000)}`,
  ]) {
    const seen = new Set();
    for (let i = 0; i < 2; ++i) {
      const { head, server, status } = await open(rig, fairlead, { Cookie });
      assert.equal(status, 101);
      assert.ok(cookieOf(head), `a new cookie for ${Cookie.slice(0, 40)}`);
      seen.add(server);
    }
    assert.equal(seen.size, 2, `round-robin goes on with ${Cookie.slice(0, 40)}`);
  }
});

scenario(
  'over TLS the sticky cookie is Secure; name, SameSite and age are settable',
  async (rig) => {
    const backend = await member(rig);
    const fairlead = await rig.run({
      servers: [backend.address],
      tls: rig.certificate().toml,
      backend: 'sticky = { cookie = "where", same_site = "Strict", max_age = "1h" }',
    });
    const { head } = await open(rig, fairlead, {}, { tlsOptions: {} });
    const cookie = head.all('set-cookie').find((one) => one.startsWith('where='));
    assert.match(cookie, /; Secure/i);
    assert.match(cookie, /; SameSite=Strict/i);
    assert.match(cookie, /; Max-Age=3600/i);
  },
);

scenario('with one secret_file a sticky cookie means the same on another node', async (rig) => {
  const members = await Promise.all([member(rig), member(rig), member(rig)]);
  const secret = path.join(rig.directory(), 'secret');
  fs.writeFileSync(secret, 'a secret of some length, for two nodes', { mode: 0o600 });
  const settings = {
    servers: members.map((one) => one.address),
    backend: `sticky = { cookie = "fairlead", secret_file = "${secret}" }`,
  };
  const one = await rig.run(settings);
  const other = await rig.run(settings);
  for (let i = 0; i < 3; ++i) {
    const first = await open(rig, one);
    const again = await open(rig, other, { Cookie: pairOf(cookieOf(first.head)) });
    assert.equal(again.server, first.server);
  }
});

scenario(
  'the cookie of a server that is down leads to another one, with a new cookie',
  async (rig) => {
    const members = await Promise.all([member(rig), member(rig)]);
    const fairlead = await rig.run({
      servers: members.map((one) => one.address),
      backend: kSticky,
    });
    const first = await open(rig, fairlead);
    const gone = members.find((one) => one.address === first.server);
    first.client.destroy();
    await gone.close();
    const again = await open(rig, fairlead, { Cookie: pairOf(cookieOf(first.head)) });
    assert.equal(again.status, 101);
    assert.notEqual(again.server, first.server);
    assert.notEqual(pairOf(cookieOf(again.head)), pairOf(cookieOf(first.head)));
  },
);

// --- Servers that are not there ---

scenario('a dead server costs nobody a handshake: another one is tried', async (rig) => {
  const live = await member(rig);
  const fairlead = await rig.run({
    servers: [`127.0.0.1:${await deadPort()}`, live.address, `127.0.0.1:${await deadPort()}`],
    backend: 'balance = "round-robin"',
  });
  await openAll(rig, fairlead, 9);
  assert.equal(live.served, 9);
});

scenario('a request that reached a server is not sent to a second one', async (rig) => {
  const breaking = await rig.backend({
    onPeer: async (peer) => {
      await peer.readHead().catch(() => {});
      peer.abort();
    },
  });
  const other = await member(rig);
  const fairlead = await rig.run({
    servers: [breaking.address, other.address],
    backend: 'balance = "round-robin"',
  });
  const statuses = [(await open(rig, fairlead)).status, (await open(rig, fairlead)).status];
  assert.deepEqual(statuses.sort(), [101, 502]);
  assert.deepEqual([breaking.dialled, other.dialled], [1, 1]);
});

scenario('all servers dead: 502, and back at once when one is up again', async (rig) => {
  const ports = [await deadPort(), await deadPort()];
  const fairlead = await rig.run({ servers: ports.map((port) => `127.0.0.1:${port}`) });
  for (let i = 0; i < 3; ++i) assert.equal((await open(rig, fairlead)).status, 502);
  await member(rig, { port: ports[1] });
  // In backoff, but there is no better one: an outage lasts no longer than the server's own.
  assert.equal((await open(rig, fairlead)).status, 101);
  await fairlead.waitForLog(
    (entry) => entry.status === 502 && entry.reason === 'backend_unreachable',
  );
});

scenario('a server that failed is left alone for a while, then used again', async (rig) => {
  const live = await member(rig);
  const port = await deadPort();
  const fairlead = await rig.run({
    servers: [`127.0.0.1:${port}`, live.address],
    backend: 'balance = "round-robin"',
  });
  await openAll(rig, fairlead, 2);
  const failed = Date.now();
  const revived = await member(rig, { port });
  await openAll(rig, fairlead, 4);
  // The backoff is 1 s less a fifth, begun before `failed` was read; a slower machine proves nothing here.
  if (Date.now() - failed < 400) assert.equal(revived.served, 0);
  await eventually(async () => {
    await openAll(rig, fairlead, 1);
    return revived.served > 0;
  }, 'the revived server is used again');
});

scenario(
  'a server that accepts no connection: 504 after the connect timeout, or another one',
  { skip: process.platform !== 'linux' && 'needs Linux' },
  async (rig) => {
    const silent = await silentPort(rig);
    const alone = await rig.run({
      servers: [`127.0.0.1:${silent}`],
      timeouts: 'connect = "300ms"',
    });
    const client = await rig.connect(alone);
    const answer = await client.request(handshakeHead());
    assert.equal(answer.status, 504);
    assert.ok(answer.body.includes('backend_connect_timeout'), answer.body);

    const live = await member(rig);
    const both = await rig.run({
      servers: [`127.0.0.1:${silent}`, live.address],
      timeouts: 'connect = "300ms"',
      backend: 'balance = "round-robin"',
    });
    await openAll(rig, both, 2);
    assert.equal(live.served, 2);
  },
);

scenario("a backend's name as an address, and a unix socket, are servers too", async (rig) => {
  const named = await member(rig);
  const unix = await member(rig, { path: path.join(rig.directory(), 'app.sock') });
  const fairlead = await rig.run({
    servers: [`localhost:${named.port}`, unix.address],
    backend: 'balance = "round-robin"',
  });
  await openAll(rig, fairlead, 4);
  assert.deepEqual(served([named, unix]), [2, 2]);
});
