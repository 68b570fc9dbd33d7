// Sessions that have to go although nothing is wrong with them: paced at the end of the process, and
// moved from servers that have too many.

import assert from 'node:assert/strict';
import { deadPort } from './lib/backend.js';
import { moment } from './lib/deadline.js';
import { Op, handshakeHead } from './lib/frames.js';
import { scenario } from './lib/rig.js';

const closes = (fairlead) => fairlead.log.filter((entry) => entry.event === 'close');

// A backend that agrees to everything and says which one it is.
function member(rig, options = {}) {
  return rig.backend({
    ...options,
    onPeer: async (peer) => {
      await peer.oblige({ fields: { 'X-Server': String(options.name) } }).catch(() => {});
    },
  });
}

async function sessions(rig, fairlead, n) {
  const open = [];
  for (let i = 0; i < n; ++i) {
    const client = await rig.connect(fairlead);
    client.send(handshakeHead());
    assert.equal((await client.readHead()).status, 101);
    open.push(client);
  }
  return open;
}

scenario('with a rate sessions are closed one after the other, the longest idle first', async (rig) => {
  const backend = await member(rig);
  const fairlead = await rig.run({
    servers: [backend.address],
    server: 'workers = 1\ndrain = { deadline = "30s", rate = "10/s" }',
  });
  const clients = await sessions(rig, fairlead, 12);
  for (const i of [5, 2]) clients[i].sendText('I am not idle');
  const order = [];
  fairlead.signal('SIGTERM');
  await Promise.all(
    clients.map(async (client, i) => {
      await client.expectClosing(1001);
      order.push(i);
      if (order.length === 1) assert.equal(closes(fairlead).length, 0); // the others are open
    }),
  );
  assert.equal(await fairlead.ended(), 0);
  const log = closes(fairlead);
  assert.equal(log.length, 12);
  for (const entry of log) assert.deepEqual([entry.reason, entry.close_code], ['stopping', 1001]);
  const times = log.map((entry) => Date.parse(entry.ts)).sort((a, b) => a - b);
  assert.ok(times.at(-1) - times[0] >= 800, `paced: ${times.at(-1) - times[0]} ms`);
  assert.deepEqual(new Set(order.slice(-2)), new Set([2, 5]));
});

scenario('what the rate leaves is closed by the deadline, with 1001 too', async (rig) => {
  const backend = await member(rig);
  const fairlead = await rig.run({
    servers: [backend.address],
    server: 'workers = 2\ndrain = { deadline = "3s", rate = "2/s" }',
  });
  const clients = await sessions(rig, fairlead, 60);
  const begun = Date.now();
  fairlead.signal('SIGTERM');
  let early = 0;
  await Promise.all(
    clients.map(async (client) => {
      await client.expectClosing(1001);
      if (Date.now() < begun + 2_000) early += 1;
    }),
  );
  assert.equal(await fairlead.ended(), 0);
  assert.ok(early <= 10, `${early} within the first two seconds`);
  assert.deepEqual(new Set(closes(fairlead).map((entry) => entry.reason)), new Set(['stopping']));
});

scenario('a message that has begun is ended before its session', async (rig) => {
  const { backend, fairlead } = await rig.pair({ server: 'workers = 1\ndrain = { deadline = "20s" }' });
  const { client, server } = await rig.session(fairlead, backend);
  server.sendFrame({ op: Op.text, payload: 'half a ', fin: false });
  await client.expectFrame({ op: Op.text, payload: 'half a ', fin: false });
  // The longest idle goes first: once the younger one has been told, the other's time has come.
  const witness = await rig.session(fairlead, backend);
  fairlead.signal('SIGTERM');
  await Promise.all([witness.client.expectClosing(1001), witness.server.expectClosing(1001)]);
  server.sendFrame({ op: Op.continuation, payload: 'message', fin: true });
  server.sendText('one too many');
  await client.expectFrame({ op: Op.continuation, payload: 'message', fin: true });
  await Promise.all([client.expectClosing(1001), server.expectClosing(1001)]);
  assert.equal(await fairlead.ended(), 0);
});

// A client that comes back with its cookie as often as it is told to.
class Faithful {
  moved = 0;

  constructor(rig, fairlead) {
    this.rig = rig;
    this.fairlead = fairlead;
  }

  async open() {
    const client = await this.rig.connect(this.fairlead);
    client.send(handshakeHead({ fields: this.cookie ? { Cookie: this.cookie } : {} }));
    const head = await client.readHead();
    assert.equal(head.status, 101);
    this.server = head.get('x-server');
    this.cookie = head.get('set-cookie')?.split(';')[0] ?? this.cookie;
    this.follow(client).catch(() => {});
  }

  async follow(client) {
    for (;;) {
      const got = await client.nextFrame(3_600_000);
      if (got === null) return;
      if (got.op !== Op.close) continue;
      client.sendFrame({ op: Op.close, payload: got.payload });
      client.end();
      if (got.code !== 1012) return;
      this.moved += 1;
      return await this.open();
    }
  }
}

const shares = (clients, names) =>
  names.map((name) => clients.filter((one) => one.server === name).length);

scenario('a server that comes late gets its share, against the cookies', async (rig) => {
  const late = await deadPort();
  const first = await member(rig, { name: 'first' });
  const fairlead = await rig.run({
    servers: [first.address, `127.0.0.1:${late}`],
    backend: [
      'sticky = { cookie = "fairlead" }',
      'rebalance = { skew = "20%", rate = "20/s", min_age = "0s" }',
    ].join('\n'),
  });
  const clients = Array.from({ length: 20 }, () => new Faithful(rig, fairlead));
  for (const client of clients) await client.open();
  assert.deepEqual(shares(clients, ['first', 'second']), [20, 0]);
  await member(rig, { name: 'second', port: late });
  await fairlead.until(
    () => {
      const [one, two] = shares(clients, ['first', 'second']);
      return one === 11 && two === 9;
    },
    'eleven and nine',
    60_000,
  );
  await moment(2_500);
  assert.deepEqual(shares(clients, ['first', 'second']), [11, 9]); // and it is quiet
  const moved = closes(fairlead).filter((entry) => entry.reason === 'moved');
  for (const entry of moved)
    assert.deepEqual([entry.close_code, entry.closed_by], [1012, 'proxy']);
  assert.ok(clients.every((client) => client.moved <= 3));
  // Balanced, the cookies bind again.
  const bound = clients.find((client) => client.server === 'first');
  const again = new Faithful(rig, fairlead);
  again.cookie = bound.cookie;
  await again.open();
  assert.equal(again.server, 'first');
});

scenario('young sessions are not moved', async (rig) => {
  const late = await deadPort();
  const first = await member(rig, { name: 'first' });
  const fairlead = await rig.run({
    servers: [first.address, `127.0.0.1:${late}`],
    backend: 'rebalance = { rate = "50/s", min_age = "1h" }',
  });
  const clients = Array.from({ length: 8 }, () => new Faithful(rig, fairlead));
  for (const client of clients) await client.open();
  await member(rig, { name: 'second', port: late });
  await moment(4_000);
  assert.equal(closes(fairlead).length, 0);
});
