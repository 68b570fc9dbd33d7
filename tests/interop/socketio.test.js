// Socket.IO 4 on two servers: each transport, kept to its server by the cookie, by Engine.IO's session id, or (WebSocket
// only) by nothing at all.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { scenario } from '../e2e/lib/rig.js';
import { front } from './lib/front.js';
import { IoClient, socketIoServer } from './lib/socketio.js';

const kPolling = ['polling'];
const kUpgrade = ['polling', 'websocket'];
const kWebSocket = ['websocket'];

// `withCredentials`: the client keeps cookies, as a page of the same site does.
const kinds = {
  cookie: { backend: 'sticky = { cookie = "fairlead" }', client: { withCredentials: true } },
  'engine_io, without cookies': { backend: 'sticky = { engine_io = true }', client: {} },
};

async function site(rig, backend) {
  const servers = [await socketIoServer(rig, 'one'), await socketIoServer(rig, 'two')];
  const app = await front(
    rig,
    servers.map((one) => one.where),
    { backend },
  );
  const client = async (options) => {
    const made = new IoClient(rig, app.origin, options);
    await made.connected();
    return made;
  };
  return { servers, app, client };
}

// What an app does with a connection.
async function use(client) {
  const name = await client.ask('who');
  for (const value of ['grüße', { deep: [1, null, 'x'.repeat(100_000)] }])
    assert.deepEqual(await client.ask('echo', value), value);
  const bytes = randomBytes(50_000);
  assert.ok(bytes.equals(await client.ask('echo', bytes)));
  await client.ask('join', 'room');
  client.socket.emit('to', 'room', 'hello');
  await client.until(() => client.said.includes('hello'), 'a message to the room');
  assert.equal(await client.ask('who'), name);
  return name;
}

for (const [kind, { backend, client: options }] of Object.entries(kinds)) {
  for (const transports of [kPolling, kUpgrade]) {
    scenario(`${transports.join(', then ')}, sticky by ${kind}`, async (rig) => {
      const { servers, client } = await site(rig, backend);
      const clients = [];
      for (let i = 0; i < 4; ++i) clients.push(await client({ transports, ...options }));
      for (const one of clients) await one.using(transports.at(-1));
      const names = await Promise.all(clients.map(use));
      assert.deepEqual(new Set(names), new Set(['one', 'two']), 'both servers are used');
      for (const one of clients)
        assert.deepEqual([one.connects, one.errors, one.ends], [1, [], []]);
      assert.deepEqual(
        servers.map((one) => one.strangers),
        [0, 0],
      );
    });
  }

  scenario(`a client finds the other server when its own died, sticky by ${kind}`, async (rig) => {
    const { servers, client } = await site(rig, backend);
    for (const transports of [kPolling, kUpgrade]) {
      const one = await client({ transports, ...options });
      await one.using(transports.at(-1));
      const home = await one.ask('who');
      const [dead, alive] = servers[0].name === home ? servers : [...servers].reverse();
      dead.die();
      await one.connected(2);
      assert.equal(await use(one), alive.name);
      assert.equal(one.connects, 2);
      // It comes back at its address.
      const [host, port] = dead.where.split(':');
      await new Promise((resolve) => dead.http.listen(Number(port), host, resolve));
    }
  });
}

scenario('WebSocket only needs no stickiness', async (rig) => {
  const { servers, client } = await site(rig, '');
  const clients = [];
  for (let i = 0; i < 4; ++i) clients.push(await client({ transports: kWebSocket }));
  const names = await Promise.all(clients.map(use));
  assert.deepEqual([...names].sort(), ['one', 'one', 'two', 'two']);
  for (const one of clients) assert.deepEqual([one.connects, one.errors, one.ends], [1, [], []]);
  servers[0].die();
  const lost = clients.filter((_, i) => names[i] === 'one');
  for (const one of lost) {
    await one.connected(2);
    assert.equal(await use(one), 'two');
  }
  assert.deepEqual(
    clients.filter((one) => !lost.includes(one)).map((one) => one.connects),
    [1, 1],
    'the sessions of the other server know nothing of it',
  );
});

scenario('the heartbeat passes, and a server that disconnects a client is heard', async (rig) => {
  const { app, client } = await site(rig, kinds.cookie.backend);
  const one = await client({ transports: kWebSocket, reconnection: false });
  let beats = 0;
  const beaten = new Promise((resolve) =>
    one.socket.io.on('ping', () => {
      beats += 1;
      if (beats === 2) resolve();
    }),
  );
  await beaten;
  one.socket.emit('leave me');
  await one.until(() => one.ends.length, 'the end');
  assert.deepEqual(one.ends, ['io server disconnect']);
  assert.equal((await app.fairlead.waitForClose()).closed_by, 'backend');
});
