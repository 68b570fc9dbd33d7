// Sessions through the admin endpoint: lists, one of them, closing; and the commands for it.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { scenario } from './lib/rig.js';
import { watched } from './lib/watch.js';

// So many sessions, one after the other: [{ client, server }].
async function open(rig, watch, backend, count, options) {
  const sessions = [];
  for (let i = 0; i < count; ++i) sessions.push(await rig.session(watch.fairlead, backend, options));
  return sessions;
}

scenario('a session is shown as it is, while it is open', async (rig) => {
  const backend = await rig.backend();
  const watch = await watched(rig, { servers: [backend.address], route: 'origins = ["any"]' });
  const [{ client, server }] = await open(rig, watch, backend, 1, {
    handshake: { path: '/chat?token=secret', fields: { Origin: 'https://app.example.com', 'X-Request-Id': 'r1' } },
  });
  client.sendText('hello');
  await server.expectText('hello');
  const { conn_id: id } = await watch.fairlead.waitForLog((entry) => entry.event === 'open');
  const { status, json, text } = await watch.ask('GET', `/api/sessions/${id}`);
  assert.equal(status, 200);
  const known = {
    conn_id: id, request_id: 'r1', client_ip: '127.0.0.1', path: '/chat', route: 'chat', backend: 'pool',
    server: backend.address, origin: 'https://app.example.com', status: 101, msgs_in: 1, msgs_out: 0, bytes_in: 5,
    bytes_out: 0, pings: 0, buffered_bytes: 0, ending: false,
  };
  for (const [name, value] of Object.entries(known)) assert.equal(json[name], value, name);
  for (const name of ['duration_ms', 'idle_ms', 'handshake_ms', 'msgs_per_s', 'bytes_per_s'])
    assert.equal(typeof json[name], 'number', name);
  assert.match(json.opened, /^\d{4}-\d\d-\d\dT/);
  assert.ok(!text.includes('secret'));

  const shown = await watch.command('sessions', id);
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(shown.stdout, /^path +\/chat$/m);
});

scenario('lists: filters, order, pages', async (rig) => {
  const [first, second] = [await rig.backend(), await rig.backend()];
  const watch = await watched(rig, { servers: [first.address, second.address], backend: 'balance = "round-robin"' });
  const opened = ['r0', 'r1', 'r2', 'r3', 'r4', 'r5'];
  const ends = [];
  for (const [i, id] of opened.entries()) {
    const options = { handshake: { fields: { 'X-Request-Id': id } } };
    ends.push(...(await open(rig, watch, i % 2 === 0 ? first : second, 1, options)));
  }
  ends[0].client.sendText('no longer idle');
  await ends[0].server.expectText('no longer idle');

  const ids = async (query) => (await watch.sessions(query)).sessions.map((one) => one.request_id);
  assert.deepEqual(await ids(''), opened);
  assert.deepEqual(await ids('?sort=idle'), [...opened.slice(1), opened[0]]);
  assert.equal((await ids('?sort=rate'))[0], opened[0]);
  assert.deepEqual(await ids('?limit=2&offset=3'), opened.slice(3, 5));
  assert.deepEqual(await ids('?offset=6'), []);
  assert.equal((await watch.sessions('?limit=1')).total, 6);
  assert.deepEqual(await ids(`?server=${first.address}`), [opened[0], opened[2], opened[4]]);
  for (const [query, total] of [
    ['?route=chat', 6], ['?route=other', 0], ['?backend=pool', 6], ['?backend=x', 0], ['?client=127.0.0.1', 6],
    ['?client=127.0.0.0/8', 6], ['?client=10.0.0.0/8', 0], ['?client=%3A%3A1', 0],
    [`?route=chat&server=${second.address}&client=127.0.0.1`, 3],
  ])
    assert.equal((await watch.sessions(query)).total, total, query);

  const listed = await watch.command('sessions', '--server', first.address, '--limit', '2');
  assert.equal(listed.code, 0, listed.stderr);
  assert.match(listed.stdout, /^ID +CLIENT +ROUTE /);
  assert.match(listed.stdout, /\n2 of 3\n$/);
});

scenario('closed by its id: both get 1001, and the log says by whom', async (rig) => {
  const backend = await rig.backend();
  const watch = await watched(rig, { servers: [backend.address] });
  const [one, other] = await open(rig, watch, backend, 2);
  const id = (await watch.sessions()).sessions[0].conn_id;
  const { status, json } = await watch.ask('DELETE', `/api/sessions/${id}`);
  assert.equal(status, 200);
  assert.deepEqual(json, { closed: 1 });
  await Promise.all([one.client.expectClosing(1001, 'closed by an operator'), one.server.expectClosing(1001)]);
  const entry = await watch.fairlead.waitForClose();
  assert.equal(entry.reason, 'admin_closed');
  assert.equal(entry.closed_by, 'proxy');
  assert.equal(entry.close_code, 1001);
  assert.equal((await watch.ask('DELETE', `/api/sessions/${id}`)).status, 404);
  assert.equal((await watch.ask('GET', `/api/sessions/${id}`)).status, 404);
  other.client.sendText('still here');
  await other.server.expectText('still here');
});

scenario('closed while a message is under way: the message is let finish', async (rig) => {
  const backend = await rig.backend();
  const watch = await watched(rig, { servers: [backend.address] });
  const [{ client, server }] = await open(rig, watch, backend, 1);
  server.sendFrame({ fin: false, payload: 'begun ' });
  await client.expectFrame({ payload: 'begun ' });
  const id = (await watch.sessions()).sessions[0].conn_id;
  assert.equal((await watch.command('close', id)).stdout, '1 session closed\n');
  server.sendFrame({ op: 0, payload: 'and finished' });
  await client.expectFrame({ op: 0, payload: 'and finished' });
  await client.expectClosing(1001);
});

scenario('all that match are closed, the others stay', async (rig) => {
  const [first, second] = [await rig.backend(), await rig.backend()];
  const watch = await watched(rig, { servers: [first.address, second.address], backend: 'balance = "round-robin"' });
  const [left, right] = [[], []];
  for (let i = 0; i < 3; ++i) {
    left.push(...(await open(rig, watch, first, 1)));
    right.push(...(await open(rig, watch, second, 1)));
  }
  const { json } = await watch.ask('DELETE', `/api/sessions?server=${first.address}`);
  assert.deepEqual(json, { closed: 3 });
  for (const { client } of left) await client.expectClosing(1001);
  right[0].client.sendText('x');
  await right[0].server.expectText('x');
  const closed = await watch.command('close', '--route', 'chat', '--client', '127.0.0.0/8');
  assert.equal(closed.stdout, '3 sessions closed\n', closed.stderr);
});

scenario('what is wrong has its status and a JSON error', async (rig) => {
  const watch = await watched(rig, { servers: ['127.0.0.1:1'] });
  for (const [method, target, status] of [
    ['GET', '/api/sessions?limit=0', 400], ['GET', '/api/sessions?limit=1001', 400], ['GET', '/api/sessions?limit=x', 400],
    ['GET', '/api/sessions?offset=-1', 400], ['GET', '/api/sessions?sort=name', 400], ['GET', '/api/sessions?client=me', 400],
    ['GET', '/api/sessions?what=1', 400], ['GET', '/api/sessions?user=me', 400], ['GET', '/api/sessions?route=a&route=b', 400],
    ['GET', '/api/sessions?route=%zz', 400], ['GET', `/api/sessions?route=${'r'.repeat(257)}`, 400],
    ['GET', `/api/sessions?route=${'r'.repeat(20_000)}`, 431], ['GET', '/api/sessions/1', 400],
    ['GET', '/api/sessions/00000000000000zz', 400], ['GET', '/api/sessions/0000000000000001', 404],
    ['GET', '/api/sessions/0000ff0000000001', 404], ['DELETE', '/api/sessions/0000000000000001', 404],
    ['DELETE', '/api/sessions', 400], ['DELETE', '/api/sessions?limit=5', 400], ['DELETE', '/api/sessions?route=', 400],
    ['POST', '/api/sessions', 405],
  ]) {
    const answer = await watch.ask(method, target);
    assert.equal(answer.status, status, `${method} ${target.slice(0, 60)}: ${answer.text}`);
    assert.ok(answer.json.error, target.slice(0, 60));
  }
  assert.deepEqual((await watch.ask('GET', '/api/sessions')).json, { sessions: [], total: 0 });
  assert.equal((await watch.ask('HEAD', '/api/sessions')).status, 200);
  assert.equal((await watch.command('close')).code, 2);
  assert.equal((await watch.command('close', '0000000000000001', '--route', 'x')).code, 2);
  assert.equal((await watch.command('close', '0000000000000001')).code, 1);
  assert.equal((await watch.command('sessions', 'zz')).code, 1);
});

scenario('over TCP a wrong token closes nothing', async (rig) => {
  const backend = await rig.backend();
  const file = path.join(rig.directory(), 'token');
  fs.writeFileSync(file, 'correct-horse-battery-staple\n', { mode: 0o600 });
  const fairlead = await rig.run({ servers: [backend.address], more: `[admin]\nlisten = "127.0.0.1:0"\ntoken_file = "${file}"` });
  const port = await fairlead.until(() => fairlead.stderr.match(/admin endpoint on \S+:(\d+)/)?.[1], 'the admin endpoint');
  const { client, server } = await rig.session(fairlead, backend);
  const { conn_id: id } = await fairlead.waitForLog((entry) => entry.event === 'open');
  for (const [target, headers] of [
    [`/api/sessions/${id}`, {}], [`/api/sessions/${id}`, { Authorization: 'Bearer wrong-horse-battery-staple' }],
    ['/api/sessions?route=chat', { Authorization: 'Bearer x' }],
  ]) {
    const status = await new Promise((resolve, reject) => {
      const request = http.request({ host: '127.0.0.1', port, method: 'DELETE', path: target, headers, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.on('error', reject);
      request.end();
    });
    assert.equal(status, 401);
  }
  client.sendText('still here');
  await server.expectText('still here');
});
