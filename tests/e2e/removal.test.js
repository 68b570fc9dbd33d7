// What becomes of the sessions of a server or a route that a reload takes away: on_removal.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { moment } from './lib/deadline.js';
import { Op } from './lib/frames.js';
import { config, scenario } from './lib/rig.js';

const kOutcome = /configuration reloaded|reload failed/g;
const outcomes = (fairlead) => fairlead.stderr.match(kOutcome)?.length ?? 0;
const closes = (fairlead) => fairlead.log.filter((entry) => entry.event === 'close');

// With `name`, the route "chat" is gone and one of that name stands in its place.
async function reload(rig, fairlead, settings, name = 'chat') {
  const text = config(settings).replace('name = "chat"', `name = "${name}"`);
  fs.writeFileSync(path.join(rig.directory(), 'fairlead.toml'), text);
  const before = outcomes(fairlead);
  fairlead.signal('SIGHUP');
  await fairlead.until(() => outcomes(fairlead) > before, 'the outcome of a reload');
  assert.doesNotMatch(fairlead.stderr, /reload failed/);
}

// One session at each of two servers, both of one backend.
async function two(rig, settings) {
  const [a, b] = [await rig.backend(), await rig.backend()];
  const both = { server: 'workers = 2\ndrain = { deadline = "20s" }', ...settings };
  both.servers = [a.address, b.address];
  both.backend = 'balance = "round-robin"';
  const fairlead = await rig.run(both);
  const first = await rig.session(fairlead, a);
  const second = await rig.session(fairlead, b);
  return { a, b, both, fairlead, first, second };
}

async function talks({ client, server }, text = 'still here') {
  client.sendText(text);
  await server.expectText(text);
  server.sendText(`${text} too`);
  await client.expectText(`${text} too`);
}

const moved = ({ client, server }) =>
  Promise.all([client.expectClosing(1012, 'moved: connect again'), server.expectClosing(1001)]);

function assertMoved(fairlead, n) {
  const all = closes(fairlead);
  assert.equal(all.length, n);
  for (const entry of all)
    assert.deepEqual([entry.reason, entry.close_code, entry.closed_by], ['moved', 1012, 'proxy']);
}

scenario('keep: sessions of a removed server and a removed route stay', async (rig) => {
  const { b, both, fairlead, first, second } = await two(rig, { route: 'on_removal = "keep"' });
  await reload(rig, fairlead, { ...both, servers: [b.address] });
  assert.match(fairlead.stderr, /was removed \(1 sessions\): its sessions stay/);
  await talks(first);
  await reload(rig, fairlead, { ...both, servers: [b.address] }, 'new');
  assert.match(fairlead.stderr, /route "chat" was removed: its sessions stay/);
  await moment(300);
  await Promise.all([talks(first), talks(second)]);
  assert.equal(closes(fairlead).length, 0);
});

scenario('drain, the default: a removed server loses its sessions at the rate', async (rig) => {
  const [a, b] = [await rig.backend(), await rig.backend()];
  const settings = {
    server: 'workers = 1\ndrain = { deadline = "20s", rate = "10/s" }',
    servers: [a.address],
  };
  const fairlead = await rig.run(settings);
  const sessions = [];
  for (let i = 0; i < 8; ++i) sessions.push(await rig.session(fairlead, a));
  await reload(rig, fairlead, { ...settings, servers: [a.address, b.address] });
  const other = await rig.session(fairlead, b);
  await reload(rig, fairlead, { ...settings, servers: [b.address] });
  assert.match(fairlead.stderr, /was removed \(8 sessions\): its sessions are drained/);
  await Promise.all(sessions.map(moved));
  await fairlead.until(() => closes(fairlead).length === 8, 'eight ends');
  assertMoved(fairlead, 8);
  const times = closes(fairlead).map((entry) => Date.parse(entry.ts));
  assert.ok(Math.max(...times) - Math.min(...times) >= 500, 'paced');
  await talks(other);
  await fairlead.until(() => /: done, 8 sessions moved/.test(fairlead.stderr), 'the job ends');
});

scenario('close: all at once, a message under way is ended first', async (rig) => {
  const server = 'workers = 2\ndrain = { deadline = "2s", rate = "1/m" }';
  const { b, both, fairlead, first, second } = await two(rig, { server, route: 'on_removal = "close"' });
  first.server.sendFrame({ op: Op.text, payload: 'half a ', fin: false });
  await first.client.expectFrame({ op: Op.text, payload: 'half a ', fin: false });
  await reload(rig, fairlead, { ...both, servers: [b.address] });
  await moment(200);
  first.server.sendFrame({ op: Op.continuation, payload: 'message', fin: true });
  await first.client.expectFrame({ op: Op.continuation, payload: 'message', fin: true });
  await moved(first);
  await talks(second);
  // One that never ends has drain.deadline, at most five seconds; then two fragments are parted.
  second.server.sendFrame({ op: Op.text, payload: 'never ', fin: false });
  await second.client.expectFrame({ op: Op.text, fin: false });
  const begun = Date.now();
  await reload(rig, fairlead, { ...both, servers: [b.address] }, 'new');
  assert.match(fairlead.stderr, /route "chat" was removed: its sessions are closed/);
  await moved(second);
  assert.ok(Date.now() - begun >= 1_500);
  await fairlead.until(() => closes(fairlead).length === 2, 'two ends');
  assertMoved(fairlead, 2);
});

scenario("a removed route's old policy counts, and exchanges are finished", async (rig) => {
  const route = 'path = "/"\non_removal = "close"';
  const { a, both, fairlead, first, second } = await two(rig, { route });
  const client = await rig.connect(fairlead);
  client.send('GET / HTTP/1.1\r\nHost: chat.example.com\r\n\r\n');
  const server = await a.accept();
  await server.readHead();
  server.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst');
  await client.until(() => client.buffer.includes('first'), 'the first half');
  await reload(rig, fairlead, { ...both, servers: ['127.0.0.1:1'], route: '' }, 'new');
  await Promise.all([moved(first), moved(second)]);
  server.send('later');
  assert.equal((await client.readAnswer()).body, 'firstlater');
});

scenario('what comes back is ready, and its sessions are told no more', async (rig) => {
  const server = 'workers = 2\ndrain = { deadline = "20s", rate = "1/m" }';
  const { a, b, both, fairlead } = await two(rig, { server });
  const more = [];
  for (let i = 0; i < 6; ++i) more.push(await rig.session(fairlead, i % 2 === 0 ? a : b));
  await reload(rig, fairlead, { ...both, servers: [b.address] });
  const third = await rig.session(fairlead, b);
  await reload(rig, fairlead, both);
  await fairlead.until(() => /it came back, \d of 4 sessions stay/.test(fairlead.stderr), 'that');
  // At one a minute none was told but perhaps the first; new ones go there again.
  const again = await Promise.all([rig.session(fairlead, a), rig.session(fairlead, b)]);
  await moment(300);
  assert.ok(closes(fairlead).length <= 1);
  await Promise.all([talks(third), talks(more[1]), ...again.map((one) => talks(one))]);
});
