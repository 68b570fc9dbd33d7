// on_backend_loss = "reattach" with real processes: servers are killed, clients do not notice.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { Op, handshakeHead } from './lib/frames.js';
import { memberProcess } from './lib/member.js';
import { config, scenario } from './lib/rig.js';

const closes = (fairlead) => fairlead.log.filter((entry) => entry.event === 'close');
const kRoute = 'on_backend_loss = "reattach"';

async function open(rig, fairlead, fields = {}) {
  const client = await rig.connect(fairlead);
  client.send(handshakeHead({ fields }));
  const head = await client.readHead();
  assert.equal(head.status, 101);
  return { client, server: head.get('x-server') };
}

async function echoes({ client }, text) {
  client.sendText(text);
  await client.expectText(text);
}

scenario('a server is killed: its clients go on at the other one', async (rig) => {
  const [a, b] = [await memberProcess(rig), await memberProcess(rig)];
  const fairlead = await rig.run({ servers: [a.address, b.address], route: kRoute });
  const sessions = [];
  for (let i = 0; i < 8; ++i) sessions.push(await open(rig, fairlead));
  await Promise.all(sessions.map((one, i) => echoes(one, `before ${i}`)));
  a.child.kill('SIGKILL');
  await new Promise((resolve) => a.child.once('exit', resolve));
  await Promise.all(sessions.map((one, i) => echoes(one, `after ${i}`)));
  assert.equal(closes(fairlead).length, 0);
  for (const { client } of sessions) {
    client.sendClose(1000);
    await client.expectClose(1000);
  }
  await fairlead.until(() => closes(fairlead).length === 8, 'eight ends');
  const moved = closes(fairlead).filter((entry) => entry.reattached === 1);
  assert.equal(moved.length, 4);
  for (const entry of closes(fairlead)) {
    assert.deepEqual([entry.server, entry.reason], [b.address, 'client_closed']);
    assert.deepEqual([entry.msgs_in, entry.msgs_out], [2, 2]);
  }
});

// A server killed with bytes unread resets its connections; a message that meets the reset could
// have been taken in part, and then the end is 1012.
scenario('numbers that are sent all the time come back in order, none twice', async (rig, t) => {
  const [a, b] = [await memberProcess(rig), await memberProcess(rig)];
  const fairlead = await rig.run({ servers: [a.address, b.address], route: kRoute });
  const session = await open(rig, fairlead);
  const victim = session.server === a.address ? a : b;
  const got = [];
  let sent = 0;
  const timer = setInterval(() => session.client.sendText(String(++sent)), 2);
  rig.defer(() => clearInterval(timer));
  while (got.length < 400) {
    const frame = await session.client.nextFrame();
    if (frame.code === 1012) break;
    assert.equal(frame.op, Op.text, `code ${frame.code}`);
    got.push(Number(frame.payload));
    if (got.length === 100) victim.child.kill('SIGKILL');
  }
  clearInterval(timer);
  for (let i = 1; i < got.length; ++i) assert.ok(got[i] > got[i - 1], `${got[i - 1]}, ${got[i]}`);
  // What was on the dead server's wire is gone, and that is little.
  t.diagnostic(`${got.length} of ${got.at(-1)} came back`);
  assert.ok(got.at(-1) - got.length < 100, `${got.at(-1) - got.length} are missing`);
});

scenario('with no server left the client gets 1011 at the deadline', async (rig) => {
  const [a, b] = [await memberProcess(rig), await memberProcess(rig)];
  const route = `${kRoute}\nreattach = { deadline = "1s", attempts = 3 }`;
  const fairlead = await rig.run({ servers: [a.address, b.address], route });
  const session = await open(rig, fairlead);
  const begun = Date.now();
  for (const { child } of [a, b]) child.kill('SIGKILL');
  await session.client.expectClosing(1011, 'backend lost');
  assert.ok(Date.now() - begun >= 900);
  const entry = await fairlead.waitForClose();
  assert.deepEqual([entry.reason, entry.closed_by], ['backend_gone', 'backend']);
  assert.equal(entry.server, session.server);
});

scenario('a removed server is left without a word, an answer under way included', async (rig) => {
  const [a, b] = [await rig.backend(), await rig.backend()];
  const settings = { servers: [a.address], route: kRoute, websocket: 'ping_interval = "off"' };
  const fairlead = await rig.run(settings);
  const { client, server, request } = await rig.session(fairlead, a, {
    handshake: { fields: { Cookie: 'user=7', 'Fairlead-Reattached': '99' } },
  });
  assert.equal(request.get('fairlead-reattached'), undefined);
  client.sendText('question');
  await server.expectText('question');
  fs.writeFileSync(
    path.join(rig.directory(), 'fairlead.toml'),
    config({ ...settings, servers: [b.address] }),
  );
  fairlead.signal('SIGHUP');
  await server.expectClose(1001);
  client.sendText('held');
  server.sendText('answer');
  server.sendClose(1001);
  await client.expectText('answer');
  await server.expectEnd();
  const next = await b.accept();
  const again = await next.acceptUpgrade();
  assert.equal(again.get('fairlead-reattached'), '1');
  assert.equal(again.get('cookie'), 'user=7');
  for (const name of ['x-request-id', 'x-forwarded-for', 'sec-websocket-key', 'host'])
    assert.equal(again.get(name), request.get(name), name);
  await next.expectText('held');
  next.sendText('here');
  await client.expectText('here');
  next.sendClose(1000);
  await client.expectClosing(1000);
  const entry = await fairlead.waitForClose();
  assert.deepEqual([entry.server, entry.reattached], [b.address, 1]);
});
