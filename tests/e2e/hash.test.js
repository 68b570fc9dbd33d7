// balance = "hash": the same server for the same key, and what a key may be.

import assert from 'node:assert/strict';
import { deadPort } from './lib/backend.js';
import { handshakeHead } from './lib/frames.js';
import { scenario } from './lib/rig.js';

async function member(rig, options = {}) {
  const backend = await rig.backend({
    ...options,
    onPeer: (peer) => peer.oblige({ fields: { 'X-Server': backend.address } }).catch(() => {}),
  });
  return backend;
}

const addressesOf = (members) => members.map((one) => one.address);
const members = (rig, n) => Promise.all(Array.from({ length: n }, () => member(rig)));
const backendOf = (key) => `balance = "hash"\nhash_key = "${key}"`;

// The server of a handshake with this path and these fields; the session ends at once.
async function serverOf(rig, fairlead, { connect, ...handshake } = {}) {
  const client = await rig.connect(fairlead, connect);
  client.send(handshakeHead(handshake));
  const head = await client.readHead();
  client.destroy();
  assert.equal(head.status, 101);
  return head.get('x-server');
}

// Where keys 0 ... n-1 go, each asked for several times; it must always be the same server.
async function placesOf(rig, fairlead, request, n = 36) {
  const places = [];
  for (let key = 0; key < n; ++key) {
    places.push(await serverOf(rig, fairlead, request(key)));
    for (let i = 0; i < 2; ++i)
      assert.equal(await serverOf(rig, fairlead, request(key)), places[key], `key ${key}`);
  }
  return places;
}

const kKinds = {
  path: (key) => ({ path: `/room/${key}?t=${Math.random()}` }),
  'query:room': (key) => ({ path: `/?t=${Math.random()}&room=${key}` }),
  'header:X-Room': (key) => ({ fields: { 'x-room': `${key}`, 'X-Noise': `${Math.random()}` } }),
  'cookie:room': (key) => ({ fields: { Cookie: `theme=${Math.random()}; room=${key}` } }),
  'client-ip': (key) => ({
    path: `/?t=${Math.random()}`,
    connect: { localAddress: `127.0.1.${key + 1}` },
  }),
};

for (const [kind, request] of Object.entries(kKinds)) {
  scenario(`${kind}: one key, one server; the same on a second node`, async (rig) => {
    const servers = addressesOf(await members(rig, 3));
    const one = await rig.run({ servers, backend: backendOf(kind) });
    const other = await rig.run({ servers: [...servers].reverse(), backend: backendOf(kind) });
    const places = await placesOf(rig, one, request);
    assert.equal(new Set(places).size, 3, 'all servers take part');
    assert.deepEqual(await placesOf(rig, other, request), places);
  });
}

scenario('client-ip is the default, and behind a trusted proxy the real client', async (rig) => {
  const servers = addressesOf(await members(rig, 3));
  const settings = { servers, backend: 'balance = "hash"' };
  const fairlead = await rig.run({ ...settings, listener: 'trusted_proxies = ["127.0.0.0/8"]' });
  const places = await placesOf(rig, fairlead, (key) => ({
    fields: { 'X-Forwarded-For': `203.0.113.${key}` },
  }));
  assert.equal(new Set(places).size, 3);
  // From a peer that is not trusted the field means nothing: one client, one server.
  const plain = await rig.run(settings);
  const same = await placesOf(rig, plain, (key) => ({
    fields: { 'X-Forwarded-For': `203.0.113.${key}` },
  }));
  assert.equal(new Set(same).size, 1);
});

scenario('a server that does not answer gives its keys to the others, nobody else moves', async (rig) => {
  const live = addressesOf(await members(rig, 2));
  const port = await deadPort();
  const dead = `127.0.0.1:${port}`;
  const without = await rig.run({ servers: [...live, dead], backend: backendOf('path') });
  const request = (key) => ({ path: `/room/${key}` });
  const before = await placesOf(rig, without, request);
  await member(rig, { port });
  const all = await rig.run({ servers: [...live, dead], backend: backendOf('path') });
  const after = await placesOf(rig, all, request);
  assert.ok(after.includes(dead));
  for (const [key, place] of after.entries()) {
    if (place !== dead) assert.equal(place, before[key]);
  }
});

scenario('without its key a request goes by least-connections', async (rig) => {
  const servers = addressesOf(await members(rig, 3));
  const fairlead = await rig.run({ servers, backend: backendOf('query:room') });
  const seen = [];
  for (let i = 0; i < 6; ++i) {
    const client = await rig.connect(fairlead);
    client.send(handshakeHead({ path: i % 2 ? '/?room=' : '/' }));
    seen.push((await client.readHead()).get('x-server'));
  }
  for (const server of servers) assert.equal(seen.filter((one) => one === server).length, 2);
});

scenario('a key everybody has fills its server to the bound, then the others', async (rig) => {
  const servers = addressesOf(await members(rig, 2));
  const fairlead = await rig.run({ servers, backend: backendOf('path') });
  const counts = new Map();
  for (let i = 0; i < 60; ++i) {
    const client = await rig.connect(fairlead);
    client.send(handshakeHead());
    const server = (await client.readHead()).get('x-server');
    counts.set(server, (counts.get(server) ?? 0) + 1);
    // 16 are free; beyond them five quarters of half of all.
    assert.ok(counts.get(server) <= Math.max(16, Math.ceil(1.25 * ((i + 1) / 2))));
  }
  assert.deepEqual([...counts.values()].sort(), [22, 38]);
});

scenario('the sticky cookie comes before the hash', async (rig) => {
  const servers = addressesOf(await members(rig, 3));
  const backend = `${backendOf('path')}\nsticky = { cookie = "fairlead" }`;
  const fairlead = await rig.run({ servers, backend });
  const client = await rig.connect(fairlead);
  const head = await client.upgrade({ path: '/home' });
  const Cookie = head.get('set-cookie').split(';')[0];
  for (let key = 0; key < 12; ++key) {
    const server = await serverOf(rig, fairlead, { path: `/room/${key}`, fields: { Cookie } });
    assert.equal(server, head.get('x-server'));
  }
});

scenario('random-two spreads sessions that stay nearly evenly, by weight', async (rig) => {
  const [heavy, ...light] = addressesOf(await members(rig, 3));
  const fairlead = await rig.run({
    servers: [`{ address = "${heavy}", weight = 2 }`, ...light],
    backend: 'balance = "random-two"',
  });
  const counts = new Map();
  for (let i = 0; i < 80; ++i) {
    const client = await rig.connect(fairlead);
    client.send(handshakeHead());
    const server = (await client.readHead()).get('x-server');
    counts.set(server, (counts.get(server) ?? 0) + 1);
  }
  assert.ok(Math.abs(counts.get(heavy) - 40) <= 6, `${[...counts]}`);
  for (const one of light) assert.ok(Math.abs(counts.get(one) - 20) <= 6, `${[...counts]}`);
});
