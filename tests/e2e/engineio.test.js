// Engine.IO (the transport under Socket.IO): polling and its upgrade to WebSocket stay at one server.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { engine } from './lib/engine.js';
import { handshakeHead } from './lib/frames.js';
import { get } from './lib/plain.js';
import { scenario } from './lib/rig.js';

const kEngineIo = 'balance = "round-robin"\nsticky = { engine_io = true }';
const random = () => randomBytes(15).toString('base64url');
const target = (more, version = 4) => `/socket.io/?EIO=${version}&transport=${more}`;

async function two(rig, options = {}) {
  const servers = [
    await engine(rig, { next: random, ...options }),
    await engine(rig, { next: random, ...options }),
  ];
  const addresses = servers.map((one) => one.address);
  return { servers, addresses };
}

async function ask(rig, fairlead, path, lines = []) {
  const client = await rig.connect(fairlead);
  const answer = await client.request(get(path, lines));
  client.destroy();
  return { ...answer, server: answer.head.get('x-server') };
}

const sidOf = (body) => body.match(/"sid":"([^"]+)"/)[1];

async function upgrade(rig, fairlead, path, fields = {}) {
  const client = await rig.connect(fairlead);
  client.send(handshakeHead({ path, fields }));
  const head = await client.readHead();
  return { status: head.status, server: head.get('x-server'), head };
}

// Opens sessions, each request on a connection of its own so that both workers take part; none sends a
// cookie. How many requests reached a server that does not know the session.
async function strays(rig, fairlead, { version = 4, sessions = 12, cookies = false } = {}) {
  let count = 0;
  const open = [];
  for (let i = 0; i < sessions; ++i) {
    const first = await ask(rig, fairlead, target('polling&t=a', version));
    assert.equal(first.status, 200);
    const cookie = first.head.get('set-cookie').split(';')[0];
    open.push({ sid: sidOf(first.body), server: first.server, cookie });
  }
  for (const { sid, server, cookie } of open) {
    const mine = cookies ? [`Cookie: ${cookie}`] : [];
    for (const round of ['b', 'c', 'd']) {
      const poll = await ask(
        rig,
        fairlead,
        target(`polling&t=${round}&sid=${sid}`, version),
        mine,
      );
      if (poll.status !== 200 || poll.server !== server) count += 1;
    }
    const session = await upgrade(
      rig,
      fairlead,
      target(`websocket&sid=${sid}`, version),
      cookies ? { Cookie: cookie } : {},
    );
    if (session.status !== 101 || session.server !== server) count += 1;
  }
  return count;
}

scenario('polling and its upgrade stay at their server without a cookie', async (rig) => {
  const { servers, addresses } = await two(rig);
  const fairlead = await rig.run({ servers: addresses, backend: kEngineIo });
  assert.equal(await strays(rig, fairlead), 0);
  for (const server of servers) {
    assert.equal(server.sids.size, 6);
    assert.deepEqual([server.polled, server.upgraded], [18, 6]);
  }
});

scenario('without engine_io and without the cookie they do not', async (rig) => {
  const { addresses } = await two(rig);
  const fairlead = await rig.run({
    servers: addresses,
    backend: 'balance = "round-robin"\nsticky = { cookie = "fairlead" }',
  });
  assert.ok((await strays(rig, fairlead)) > 0);
});

scenario('with the cookie of the first answer the upgrade keeps its server', async (rig) => {
  const { addresses } = await two(rig);
  const fairlead = await rig.run({
    servers: addresses,
    backend: 'balance = "round-robin"\nsticky = { cookie = "fairlead" }',
  });
  assert.equal(await strays(rig, fairlead, { cookies: true }), 0);
});

scenario("version 3's framing, and an answer in chunks of three bytes", async (rig) => {
  for (const chunked of [false, true]) {
    const { addresses } = await two(rig, { chunked });
    const fairlead = await rig.run({ servers: addresses, backend: kEngineIo });
    assert.equal(await strays(rig, fairlead, { version: 3, sessions: 4 }), 0);
    assert.equal(await strays(rig, fairlead, { sessions: 4 }), 0);
  }
});

scenario('where a coding hides the sid, the cookie is left', async (rig) => {
  const { addresses } = await two(rig, { zip: true });
  const fairlead = await rig.run({ servers: addresses, backend: kEngineIo });
  assert.ok((await strays(rig, fairlead)) > 0);
  assert.equal(await strays(rig, fairlead, { cookies: true }), 0);
});

scenario('two tabs share the cookie, and each keeps the server of its sid', async (rig) => {
  const { addresses } = await two(rig);
  const fairlead = await rig.run({ servers: addresses, backend: kEngineIo });
  const tabs = [
    await ask(rig, fairlead, target('polling')),
    await ask(rig, fairlead, target('polling')),
  ];
  assert.notEqual(tabs[0].server, tabs[1].server);
  const cookie = `Cookie: ${tabs[1].head.get('set-cookie').split(';')[0]}`;
  for (const tab of tabs) {
    const path = target(`polling&sid=${sidOf(tab.body)}`);
    const poll = await ask(rig, fairlead, path, [cookie]);
    assert.deepEqual([poll.status, poll.server], [200, tab.server]);
    assert.equal(poll.head.get('set-cookie'), undefined, 'the tabs do not fight over the cookie');
  }
});

scenario('a sid whose server is gone goes to another, which says that it is unknown', async (rig) => {
  const { servers, addresses } = await two(rig);
  const fairlead = await rig.run({ servers: addresses, backend: kEngineIo });
  const first = await ask(rig, fairlead, target('polling'));
  await servers.find((one) => one.address === first.server).close();
  const path = `sid=${sidOf(first.body)}`;
  const poll = await ask(rig, fairlead, target(`polling&${path}`));
  assert.equal(poll.status, 400);
  assert.match(poll.body, /Session ID unknown/);
  assert.equal((await upgrade(rig, fairlead, target(`websocket&${path}`))).status, 400);
});

scenario('a sid nobody gave out binds nobody', async (rig) => {
  const { addresses } = await two(rig);
  const fairlead = await rig.run({ servers: addresses, backend: kEngineIo });
  for (const sid of ['made-up', 'a'.repeat(64), 'a'.repeat(65), '', '%00', '../..']) {
    for (let i = 0; i < 4; ++i)
      assert.equal((await ask(rig, fairlead, target(`polling&sid=${sid}`))).status, 400);
  }
  // The turns went on: the next two sessions are at two servers.
  const next = [
    await ask(rig, fairlead, target('polling')),
    await ask(rig, fairlead, target('polling')),
  ];
  assert.notEqual(next[0].server, next[1].server);
});
