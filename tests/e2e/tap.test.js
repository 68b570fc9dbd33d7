// Looking into sessions: /api/sessions/ID/tap, `fairlead tap`; and `fairlead top`.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { collector } from './lib/collector.js';
import { Changes, eventually, within } from './lib/deadline.js';
import { Op } from './lib/frames.js';
import { Fairlead, config, scenario } from './lib/rig.js';

const kToken = 'correct-horse-battery-staple';
const bearer = { Authorization: `Bearer ${kToken}` };

// The configuration's [admin], with a token.
function adminTable(rig, admin) {
  const tokenFile = path.join(rig.directory(), 'admin.token');
  fs.writeFileSync(tokenFile, `${kToken}\n`, { mode: 0o600 });
  const more = `[admin]\nlisten = "127.0.0.1:0"\ntoken_file = "${tokenFile}"\n${admin}\n`;
  return { tokenFile, more };
}

const adminAddress = (fairlead) =>
  fairlead.until(() => fairlead.stderr.match(/admin endpoint on (\S+)/)?.[1], 'the admin endpoint');

// A session through a Fairlead that may be looked into.
async function start(rig, { admin = 'tap = true', connect, ...settings } = {}) {
  const { tokenFile, more } = adminTable(rig, admin);
  const { backend, fairlead } = await rig.pair({ more, ...settings });
  const at = await adminAddress(fairlead);
  const session = await rig.session(fairlead, backend, { connect });
  const { conn_id: id } = await fairlead.waitForLog((entry) => entry.event === 'open');
  return { ...session, backend, fairlead, id, at, tokenFile };
}

// The stream of events: { status, text, events: [{ name, data }], until, close }.
async function look(rig, { at, id }, query = '', headers = bearer) {
  const changes = new Changes();
  const stream = { events: [], text: '' };
  const [host, port] = at.split(':');
  const response = await within(
    new Promise((resolve, reject) => {
      const request = http.get(
        { host, port, path: `/api/sessions/${id}/tap${query}`, headers, agent: false },
        resolve,
      );
      request.on('error', reject);
      rig.defer(() => request.destroy());
      stream.close = () => request.destroy();
    }),
    'an answer',
  );
  stream.status = response.statusCode;
  let rest = '';
  response.setEncoding('utf8').on('data', (piece) => {
    stream.text += piece;
    const parts = (rest + piece).split('\n\n');
    rest = parts.pop();
    for (const part of parts) {
      const event = part.match(/^event: (\w+)\ndata: (.*)$/);
      if (event) stream.events.push({ name: event[1], data: JSON.parse(event[2]) });
    }
    changes.touch();
  });
  response.on('error', () => {});
  response.on('end', () => {
    stream.ended = true;
    changes.touch();
  });
  stream.frames = () => stream.events.filter(({ name }) => name === 'frame').map(({ data }) => data);
  stream.until = (predicate, what) =>
    changes.until(() => predicate(stream), () => `${what}: ${stream.text}`);
  if (stream.status === 200) await stream.until(() => stream.events[0]?.name === 'open', 'open');
  else await stream.until(() => stream.ended, 'the whole answer');
  return stream;
}

const text = (frame) => Buffer.from(frame.bytes, 'hex').toString();

scenario('frames of both sides, as they pass', async (rig) => {
  const all = await start(rig);
  const { client, server } = all;
  // It begins in the middle of a frame: that one is not shown.
  const first = client.build({ payload: 'half a frame' });
  client.send(first.subarray(0, 9));
  const tap = await look(rig, all, '?bytes=5');
  assert.equal(tap.events[0].data.conn_id, all.id);
  assert.equal(tap.events[0].data.server, all.backend.address);
  client.send(first.subarray(9));
  await server.expectText('half a frame');
  const second = client.build({ payload: 'hello, world' });
  client.send(second.subarray(0, 4)); // nor does a cut header matter
  await tap.until(() => true);
  client.send(second.subarray(4));
  await server.expectText('hello, world');
  server.sendFrame({ op: Op.binary, payload: Buffer.alloc(100_000, 7) });
  server.sendFrame({ op: Op.ping, payload: 'p' });
  await tap.until(() => tap.frames().length === 3, 'three frames');
  const [hello, big, ping] = tap.frames();
  assert.equal(hello.from, 'client');
  assert.equal(hello.type, 'text');
  assert.equal(hello.length, 12);
  assert.equal(text(hello), 'hello');
  assert.equal(hello.fin, true);
  assert.equal(hello.masked, true);
  assert.ok(Math.abs(hello.at - Date.now()) < 60_000);
  assert.deepEqual([big.from, big.type, big.length, big.bytes], ['backend', 'binary', 100_000, '0707070707']);
  assert.equal(big.masked, false);
  assert.deepEqual([ping.type, text(ping)], ['ping', 'p']);

  // One at a time.
  assert.equal((await look(rig, all)).status, 409);
  tap.close();
  let last;
  await eventually(async () => {
    last = await look(rig, all);
    return last.status === 200;
  }, 'the next may look');
  client.sendClose(1000, 'bye');
  while ((await server.nextFrame()).op !== Op.close);
  server.sendClose(1000, 'bye');
  await last.until(() => last.ended, 'the end');
  assert.deepEqual(
    last.frames().map(({ from, type, bytes }) => [from, type, bytes]),
    [['client', 'close', undefined], ['backend', 'close', undefined]],
  );
  assert.deepEqual(last.events.at(-1), { name: 'end', data: { reason: 'client_closed' } });
});

scenario('it takes the token, a session that is there, and tap = true', async (rig) => {
  const all = await start(rig);
  assert.equal((await look(rig, all, '', {})).status, 401);
  assert.equal((await look(rig, all, '', { Authorization: 'Bearer wrong' })).status, 401);
  assert.equal((await look(rig, { ...all, id: '1234' })).status, 400);
  assert.equal((await look(rig, { ...all, id: 'ffffffffffffffff' })).status, 404);
  assert.equal((await look(rig, { ...all, id: 'zebra' })).status, 400);
  assert.equal((await look(rig, all, '?bytes=257')).status, 400);
  assert.equal((await look(rig, all, '?bytes=-1')).status, 400);
  const off = await start(rig, { admin: '' });
  const refused = await look(rig, off);
  assert.equal(refused.status, 409);
  assert.match(refused.text, /tap = true/);
});

scenario('what is not to be seen is hidden', async (rig) => {
  const all = await start(rig, { admin: `tap = true\ntap_redact = ['"password":"*"']` });
  const { client, server } = all;
  const tap = await look(rig, all, '?bytes=256');
  client.sendText('{"user":"a","password":"hunter2","x":1}');
  client.sendFrame({ op: Op.text, fin: false, payload: '{"pass' });
  client.sendFrame({ op: Op.continuation, payload: 'word":"hunter2"}' });
  await server.nextFrame();
  await tap.until(() => tap.frames().length === 3, 'three frames');
  const [whole, , part] = tap.frames();
  assert.equal(text(whole), '{"user":"a","password":"*******","x":1}');
  assert.equal(part.withheld, true);
  assert.equal(part.bytes, undefined);
  assert.ok(!tap.text.includes(Buffer.from('hunter2').toString('hex')));
});

// Changes the file as `change` says, and reloads it.
async function reload(rig, fairlead, change) {
  const file = path.join(rig.directory(), 'fairlead.toml');
  fs.writeFileSync(file, change(fs.readFileSync(file, 'utf8')));
  const count = () => fairlead.stderr.split('configuration reloaded').length;
  const before = count();
  fairlead.signal('SIGHUP');
  await fairlead.until(() => count() > before, 'the reload');
}

scenario('what a reload does not allow any more ends for looks under way', async (rig) => {
  const all = await start(rig);
  const { client, server, fairlead } = all;
  const says = async (what) => {
    client.sendText(what);
    await server.expectText(what);
  };
  let tap = await look(rig, all, '?bytes=256');
  await reload(rig, fairlead, (toml) => toml.replace('tap = true', `tap = true\ntap_redact = ['"password":"*"']`));
  await says('{"password":"hunter2"}');
  await tap.until(() => tap.frames().length === 1, 'a frame');
  assert.equal(text(tap.frames()[0]), '{"password":"*******"}');
  // Another token: whoever showed the old one sees nothing more.
  fs.writeFileSync(all.tokenFile, `${kToken}-two\n`);
  await reload(rig, fairlead, (toml) => toml);
  await tap.until(() => tap.ended, 'the end');
  assert.deepEqual(tap.events.at(-1), { name: 'end', data: { reason: 'token_changed' } });
  assert.equal((await look(rig, all)).status, 401);
  const headers = { Authorization: `Bearer ${kToken}-two` };
  tap = await look(rig, all, '', headers);
  await reload(rig, fairlead, (toml) => toml.replace('tap = true', 'tap = false'));
  await tap.until(() => tap.ended, 'the end');
  assert.deepEqual(tap.events.at(-1), { name: 'end', data: { reason: 'tap_off' } });
  assert.equal((await look(rig, all, '', headers)).status, 409);
  await says('as before');
  assert.equal(tap.frames().length, 0);
  await reload(rig, fairlead, (toml) => toml.replace('tap = false', 'tap = true'));
  assert.equal((await look(rig, all, '', headers)).status, 200);
});

scenario('too many frames are counted, and the session goes on', async (rig) => {
  const all = await start(rig);
  const { client, server } = all;
  const tap = await look(rig, all);
  const one = client.build({ payload: 'x' });
  client.send(Buffer.concat(Array(3000).fill(one)));
  for (let i = 0; i < 3000; ++i) await server.nextFrame();
  client.sendText('after');
  await server.expectText('after');
  await eventually(() => {
    client.sendText('more');
    return tap.events.some(({ name }) => name === 'dropped');
  }, 'the count of what was dropped');
  assert.ok(tap.frames().length < 2500, `${tap.frames().length} shown`);
});

scenario('fairlead tap: lines, and a capture', async (rig) => {
  const all = await start(rig);
  const { client, server } = all;
  const args = (...more) => ['tap', all.id, '--admin', all.at, '--token-file', all.tokenFile, ...more];
  const begin = (...more) => {
    const command = new Fairlead(args(...more), { cwd: rig.directory() });
    rig.watch(command);
    rig.defer(() => command.child.kill('SIGKILL'));
    return command;
  };
  const lines = begin('--bytes', '16');
  await lines.until(() => lines.stdout.includes(`session ${all.id}`), 'the first line');
  client.sendText('hello "you"');
  await lines.until(() => /client  > text +fin +11 {2}"hello \\"you\\""\n/.test(lines.stdout), lines.stdout);
  lines.child.kill('SIGINT');
  await lines.ended();

  const file = path.join(rig.directory(), 'session.pcapng');
  let capture;
  await eventually(async () => {
    capture = begin('--bytes', '256', '--pcapng', file);
    const begun = () => fs.existsSync(file) && fs.statSync(file).size > 100;
    await eventually(() => capture.exit || begun(), 'a file, or no');
    return !capture.exit;
  }, 'a capture');
  client.sendText('captured');
  await eventually(() => fs.readFileSync(file).includes('captured'), 'the frame in the file');
  client.sendClose(1000, 'bye');
  while ((await server.nextFrame()).op !== Op.close);
  server.sendClose(1000, 'bye');
  assert.equal(await capture.ended(), 0);
  assert.match(capture.stderr, /\d+ frames in /);
  const bytes = fs.readFileSync(file);
  assert.equal(bytes.readUInt32LE(0), 0x0a0d0d0a);
  assert.ok(bytes.includes('101 Switching Protocols'));

  const gone = await Fairlead.command(rig, args());
  assert.deepEqual([gone.code, gone.stdout], [1, '']);
  assert.match(gone.stderr, /there is no such session/);
  assert.equal((await Fairlead.command(rig, ['tap', 'a b', '--admin', all.at])).code, 2);
});

scenario('fairlead top: one screen into a pipe, and help where nothing runs', async (rig) => {
  const { at, backend } = await start(rig);
  const shown = await Fairlead.command(rig, ['top', '--admin', at]);
  assert.equal(shown.code, 0);
  assert.match(shown.stdout, /^fairlead \S+ {2}process \d+ {2}serving {2}up \d+s\n/);
  assert.ok(shown.stdout.includes(backend.address));
  const nothing = await Fairlead.command(rig, ['top', '--admin', '127.0.0.1:1']);
  assert.equal(nothing.code, 1);
  assert.match(nothing.stderr, /no Fairlead answers at 127\.0\.0\.1:1: is it running/);
  assert.match(nothing.stderr, /fairlead run/);
});

scenario('through TLS, and what a throttled client sent already', async (rig) => {
  const all = await start(rig, {
    tls: rig.certificate().toml,
    limits: 'messages = { rate = "5/s", burst = 1 }',
    connect: { tlsOptions: {} },
  });
  const { client, server } = all;
  client.send(Buffer.concat(['one', 'two', 'three'].map((payload) => client.build({ payload }))));
  await server.expectText('one');
  const tap = await look(rig, all, '?bytes=8'); // "three" at least waits for its turn
  await server.expectText('two');
  await server.expectText('three');
  client.sendText('four');
  await server.expectText('four');
  await tap.until(() => text(tap.frames().at(-1) ?? { bytes: '' }) === 'four', 'the last');
  assert.deepEqual(tap.frames().slice(-2).map(text), ['three', 'four']);
  assert.ok(tap.frames().every((frame) => frame.from === 'client'));
});

scenario('a session that goes on at another server: the tap goes along, and it is one span', async (rig) => {
  const sink = await collector(rig);
  const [a, b] = [await rig.backend(), await rig.backend()];
  const tracing = `[tracing]\nendpoint = "${sink.endpoint}"\ninterval = "50ms"\nsample = 1.0\n`;
  const settings = {
    servers: [a.address],
    route: 'on_backend_loss = "reattach"',
    websocket: 'ping_interval = "off"',
    more: adminTable(rig, 'tap = true').more + tracing,
  };
  const fairlead = await rig.run(settings);
  const { client, server, request } = await rig.session(fairlead, a);
  const { conn_id: id } = await fairlead.waitForLog((entry) => entry.event === 'open');
  const tap = await look(rig, { at: await adminAddress(fairlead), id }, '?bytes=8');
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
  const next = await b.accept();
  const again = await next.acceptUpgrade();
  assert.equal(again.get('traceparent'), request.get('traceparent'));
  await next.expectText('held');
  next.sendText('here');
  await client.expectText('here');
  client.sendText('more');
  await next.expectText('more');
  next.sendClose(1000);
  await client.expectClosing(1000);
  await tap.until(() => tap.ended, 'the end');
  const seen = (from) =>
    tap.frames().filter((frame) => frame.from === from).map((frame) =>
      frame.type === 'text' ? text(frame) : frame.type);
  assert.deepEqual(seen('client'), ['held', 'more', 'close']);
  assert.deepEqual(seen('backend'), ['answer', 'close', 'here', 'close']);
  const [span] = await sink.until((spans) => spans.length === 1 && spans, 'the span');
  assert.equal(span.attributes['fairlead.server'], b.address);
  assert.equal(span.attributes['fairlead.messages.in'], 2);
  assert.equal(span.attributes['fairlead.messages.out'], 2);
});
