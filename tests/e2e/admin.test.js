// The admin endpoint and the commands that talk to it.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { eventually, within } from './lib/deadline.js';
import { Fairlead, scenario } from './lib/rig.js';
import { agreeing, statusOf } from './lib/requests.js';

const kToken = 'correct-horse-battery-staple';

const kReadToken = 'look-but-do-not-touch';

function tokenFile(rig, token = kToken) {
  const file = path.join(rig.directory(), `${token}.token`);
  fs.writeFileSync(file, `${token}\n`, { mode: 0o600 });
  return file;
}

// Fairlead with an admin endpoint: { fairlead, admin (a target for ask), address }.
async function start(
  rig,
  { servers = ['127.0.0.1:1'], listen = '127.0.0.1:0', token = false, readToken = false, ...settings } = {},
) {
  const lines = [`listen = "${listen}"`];
  if (token) lines.push(`token_file = "${tokenFile(rig)}"`);
  if (readToken) lines.push(`read_token_file = "${tokenFile(rig, kReadToken)}"`);
  const fairlead = await rig.run({ servers, more: `[admin]\n${lines.join('\n')}`, ...settings });
  const address = await fairlead.until(
    () => fairlead.stderr.match(/admin endpoint on (\S+)/)?.[1],
    'the admin endpoint',
  );
  const admin = address.startsWith('unix:')
    ? { socketPath: address.slice(5) }
    : { host: '127.0.0.1', port: Number(address.match(/:(\d+)$/)[1]) };
  return { fairlead, admin, address };
}

// One request: { status, headers, text, json }.
function ask(admin, method, target, { headers = {}, body } = {}) {
  const answered = new Promise((resolve, reject) => {
    const request = http.request({ ...admin, method, path: target, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece) => (text += piece));
      response.on('end', () => {
        const isJson = response.headers['content-type'] === 'application/json';
        resolve({
          status: response.statusCode,
          headers: response.headers,
          text,
          json: isJson && text ? JSON.parse(text) : undefined,
        });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
  return within(answered, `${method} ${target}`);
}

const bearer = { Authorization: `Bearer ${kToken}` };

// Bytes on a connection of their own, and what comes until its end.
function raw(admin, bytes) {
  const ended = new Promise((resolve, reject) => {
    const socket = net.connect(admin.socketPath ? { path: admin.socketPath } : admin);
    let text = '';
    socket.setEncoding('latin1').on('data', (piece) => (text += piece));
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
    socket.write(bytes);
  });
  return within(ended, 'the answer to raw bytes');
}

scenario('status, backends, metrics and health show what is', async (rig) => {
  const backend = await agreeing(rig);
  const { fairlead, admin } = await start(rig, { servers: [backend.address] });
  const client = await rig.connect(fairlead);
  assert.equal((await client.upgrade()).status, 101);

  const status = await ask(admin, 'GET', '/api/status');
  assert.equal(status.status, 200);
  assert.equal(status.json.pid, fairlead.child.pid);
  assert.equal(status.json.sessions, 1);
  assert.equal(status.json.connections, 1);
  assert.equal(status.json.draining, false);
  assert.equal(status.json.last_reload, null);
  assert.equal(status.json.workers.length, 2);
  assert.equal(
    status.json.workers.reduce((sum, one) => sum + one.connections, 0),
    1,
  );
  assert.deepEqual(status.json.listeners, [{ address: `127.0.0.1:${fairlead.port}`, tls: false }]);
  assert.equal(status.headers['access-control-allow-origin'], undefined);

  const { json } = await ask(admin, 'GET', '/api/backends');
  const server = { address: backend.address, state: 'ready', weight: 1, sessions: 1, up: true, set: 'ready', checked: false };
  assert.deepEqual(json, { backends: [{ name: 'pool', servers: [server] }] });

  const metrics = await ask(admin, 'GET', '/metrics');
  assert.match(metrics.headers['content-type'], /^text\/plain; version=0\.0\.4/);
  assert.ok(metrics.text.includes(`fairlead_backend_sessions{backend="pool",server="${backend.address}"} 1\n`));
  assert.match(metrics.text, /^fairlead_connections\{listener="127\.0\.0\.1:\d+"\} 1$/m);

  assert.equal((await ask(admin, 'GET', '/healthz')).status, 200);
  assert.equal((await ask(admin, 'GET', '/readyz')).status, 200);
  const head = await ask(admin, 'HEAD', '/api/status');
  assert.equal(head.status, 200);
  assert.equal(head.text, '');

  client.destroy();
  await eventually(
    async () => (await ask(admin, 'GET', '/api/status')).json.sessions === 0,
    'the session is counted out',
  );
});

scenario('what is wrong is answered with its status and a JSON error', async (rig) => {
  const { admin } = await start(rig, { token: true });
  const cases = [
    ['GET', '/nothing', {}, 404],
    ['PUT', '/api/status', { headers: bearer }, 405],
    ['GET', '/api/reload', {}, 405],
    ['POST', '/api/reload', {}, 401],
    ['POST', '/api/reload', { headers: { Authorization: 'Bearer wrong-horse-battery-staple' } }, 401],
    ['GET', '/api/status', { headers: { Host: 'evil.example' } }, 403],
    ['GET', '/api/status', { headers: { Origin: 'http://evil.example' } }, 403],
    ['POST', '/api/reload', { headers: { ...bearer, Origin: 'null' } }, 403],
    ['POST', '/api/backends/nope/servers/x', { headers: bearer, body: '{"weight":1}' }, 404],
    ['POST', '/api/backends/pool/servers/x', { headers: bearer, body: '{"weight":1}' }, 404],
    ['POST', '/api/backends/pool/servers/127.0.0.1:1', { headers: bearer, body: '{"weight":0}' }, 400],
    ['POST', '/api/backends/pool/servers/127.0.0.1:1', { headers: bearer, body: 'x' }, 400],
  ];
  for (const [method, target, options, status] of cases) {
    const answer = await ask(admin, method, target, options);
    assert.equal(answer.status, status, `${method} ${target}: ${answer.text}`);
    assert.ok(answer.json.error, `${method} ${target}`);
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.ok(!answer.text.includes(kToken), 'the token leaked');
    if (status === 405) assert.ok(answer.headers.allow);
    if (status === 401) assert.equal(answer.headers['www-authenticate'], 'Bearer');
  }
});

scenario('heads and bodies are bounded, and nothing is read in two ways', async (rig) => {
  const { admin } = await start(rig, { token: true });
  const target = '/api/backends/pool/servers/127.0.0.1:1';
  const body = (size) => `{"weight":2}${' '.repeat(size - 12)}`;
  const post = (size, chunked) =>
    ask(admin, 'POST', target, {
      headers: chunked ? { ...bearer, 'Transfer-Encoding': 'chunked' } : { ...bearer, 'Content-Length': size },
      body: body(size),
    });
  for (const chunked of [false, true]) {
    assert.equal((await post(65535, chunked)).status, 200);
    assert.equal((await post(65536, chunked)).status, 200);
    assert.equal((await post(65537, chunked)).status, 413);
  }
  const begin = `POST ${target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${kToken}\r\n`;
  for (const [bytes, status] of [
    [`${begin}Content-Length: 99999999999\r\n\r\n`, 413],
    [`${begin}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    [`${begin}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, 400],
    [`${begin}Transfer-Encoding: gzip, chunked\r\n\r\n`, 501],
    [`GET / HTTP/1.1\r\n\r\n`, 400],
    [`GET / HTTP/2.0\r\nHost: localhost\r\n\r\n`, 505],
    [`GET /${'a'.repeat(20000)} HTTP/1.1\r\n`, 431],
    [`\x16\x03\x01\x02\x00\x01`, 400],
  ]) {
    const answer = await raw(admin, bytes);
    assert.ok(answer.startsWith(`HTTP/1.1 ${status} `), `${JSON.stringify(bytes.slice(0, 80))}: ${answer}`);
    assert.ok(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)).error);
  }
  const continued = await raw(
    admin,
    `${begin}Content-Length: 12\r\nExpect: 100-continue\r\n\r\n{"weight":3}`,
  );
  assert.match(continued, /HTTP\/1\.1 200 /);
});

scenario('without a token nobody writes over TCP, and the answer says what to set', async (rig) => {
  const { admin } = await start(rig);
  const answer = await ask(admin, 'POST', '/api/drain');
  assert.equal(answer.status, 403);
  assert.match(answer.json.error, /token_file/);
  assert.equal((await ask(admin, 'GET', '/api/status')).json.draining, false);
});

scenario('the read token scrapes from another machine and does not act, from a command either', async (rig) => {
  const { admin, address } = await start(rig, { listen: '0.0.0.0:0', token: true, readToken: true });
  const headers = { authorization: `Bearer ${kReadToken}`, host: 'fairlead-admin.monitoring.svc' };
  assert.equal((await ask(admin, 'GET', '/metrics')).status, 401);
  assert.match((await ask(admin, 'GET', '/metrics', { headers })).text, /fairlead_build_info/);
  assert.equal((await ask(admin, 'POST', '/api/drain', { headers })).status, 403);
  const target = ['--admin', address.replace('0.0.0.0', '127.0.0.1'), '--token-file', tokenFile(rig, kReadToken)];
  assert.equal((await Fairlead.command(rig, ['status', ...target])).code, 0);
  const refused = await Fairlead.command(rig, ['reload', ...target]);
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /read_token_file may look, but not act/);
});

scenario('a server drained gets no new session, undone it does; a weight counts at once', async (rig) => {
  const [first, second] = [await agreeing(rig), await agreeing(rig)];
  const { fairlead, admin } = await start(rig, {
    servers: [first.address, second.address],
    backend: 'balance = "round-robin"',
    token: true,
  });
  const set = (backend, change) =>
    ask(admin, 'POST', `/api/backends/pool/servers/${backend.address}`, {
      headers: bearer,
      body: JSON.stringify(change),
    });
  const answer = await set(first, { state: 'drain' });
  assert.equal(answer.status, 200);
  assert.equal(answer.json.state, 'drain');
  const open = async (count) => {
    for (let i = 0; i < count; ++i) assert.equal((await (await rig.connect(fairlead)).upgrade()).status, 101);
    const { json } = await ask(admin, 'GET', '/api/backends');
    return json.backends[0].servers.map((server) => server.sessions);
  };
  assert.deepEqual(await open(4), [0, 4]);
  await set(second, { state: 'down' });
  assert.equal(await statusOf(rig, fairlead), 503);
  await set(first, { state: 'ready', weight: 3 });
  await set(second, { state: 'ready' });
  assert.deepEqual(await open(8), [6, 6]);
});

scenario("a drained server's sessions are moved: their clients get 1012", async (rig) => {
  const [first, second] = [await agreeing(rig), await agreeing(rig)];
  const { fairlead, admin } = await start(rig, {
    servers: [first.address, second.address],
    backend: 'balance = "round-robin"',
    token: true,
  });
  const clients = [await rig.connect(fairlead), await rig.connect(fairlead)];
  for (const client of clients) assert.equal((await client.upgrade()).status, 101);
  for (const backend of [first, second]) {
    const answer = await ask(admin, 'POST', `/api/backends/pool/servers/${backend.address}`, {
      headers: bearer,
      body: '{"state":"drain"}',
    });
    assert.equal(answer.status, 200);
    if (backend === second) break;
    await clients[0].expectClosing(1012);
  }
  await clients[1].expectClosing(1012);
  assert.equal(await statusOf(rig, fairlead), 503);
});

scenario('a unix socket is for its owner and group, and needs no token', async (rig) => {
  const socket = path.join(rig.directory(), 'admin.sock');
  const { admin, address } = await start(rig, { listen: `unix:${socket}` });
  assert.equal(fs.statSync(socket).mode & 0o777, 0o660);
  const answer = await ask(admin, 'POST', '/api/backends/pool/servers/127.0.0.1:1', {
    headers: { Host: 'whatever' },
    body: '{"weight":5}',
  });
  assert.equal(answer.json.weight, 5);
  const command = await Fairlead.command(rig, ['backends', '--admin', address]);
  assert.equal(command.code, 0, command.stderr);
  assert.match(command.stdout, /^BACKEND +SERVER +STATE +UP +WEIGHT +SESSIONS\npool +127\.0\.0\.1:1 +ready +yes +5 +0\n$/);
});

scenario('the commands: status, backends, drain and its undo, reload', async (rig) => {
  const { fairlead, address } = await start(rig, { token: true });
  const env = { FAIRLEAD_ADMIN: address };
  const file = ['--token-file', tokenFile(rig)];
  const run = async (args, options = { env }) => Fairlead.command(rig, args, options);

  let got = await run(['status']);
  assert.equal(got.code, 0, got.stderr);
  assert.match(got.stdout, new RegExp(`process ${fairlead.child.pid}\n`));
  assert.match(got.stdout, /^state +serving, up \d+s$/m);
  got = await run(['status', '--json', '--admin', address], {});
  assert.equal(JSON.parse(got.stdout).pid, fairlead.child.pid);

  got = await run(['drain', 'pool/127.0.0.1:1']);
  assert.equal(got.code, 1);
  assert.match(got.stderr, /--token-file/);
  got = await run(['drain', 'pool/127.0.0.1:1', ...file]);
  assert.equal(got.code, 0, got.stderr);
  assert.match((await run(['backends'])).stdout, / drain /);
  got = await run(['drain', 'pool/127.0.0.1:1', '--undo'], {
    env: { ...env, FAIRLEAD_TOKEN_FILE: file[1] },
  });
  assert.equal(got.code, 0, got.stderr);
  assert.match((await run(['backends'])).stdout, / ready /);
  got = await run(['drain', 'pool/127.0.0.1:2', ...file]);
  assert.equal(got.code, 1);
  assert.match(got.stderr, /no server "127\.0\.0\.1:2"/);

  got = await run(['reload', ...file]);
  assert.equal(got.code, 0, got.stderr);
  const config = path.join(rig.directory(), 'fairlead.toml');
  const text = fs.readFileSync(config, 'utf8');
  fs.writeFileSync(config, `${text}\n[nonsense]\n`);
  got = await run(['reload', ...file]);
  assert.equal(got.code, 1);
  assert.match(got.stderr, /nothing changed/);
  assert.match(got.stderr, /unknown key "nonsense"/);
  assert.match((await run(['status'])).stdout, /^last reload +FAILED at /m);

  // With the file: where, and with which token. Listening on port 0 it cannot tell: fixed by hand.
  fs.writeFileSync(config, text.replace('127.0.0.1:0"\ntoken', `${address}"\ntoken`));
  got = await run(['drain', 'pool/127.0.0.1:1', '-c', config], {});
  assert.equal(got.code, 0, got.stderr);
});

scenario('drain without a server ends the process as TERM does', async (rig) => {
  const backend = await agreeing(rig);
  const { fairlead, admin, address } = await start(rig, { servers: [backend.address], token: true });
  const client = await rig.connect(fairlead);
  await client.upgrade();
  const got = await Fairlead.command(rig, ['drain', '--admin', address, '--token-file', tokenFile(rig)]);
  assert.equal(got.code, 0, got.stderr);
  const ready = await ask(admin, 'GET', '/readyz').catch(() => ({ status: 503 })); // or it is gone
  assert.equal(ready.status, 503);
  const close = await client.nextFrame();
  assert.equal(close.op, 8);
  assert.equal(close.payload.readUInt16BE(0), 1001);
  client.destroy();
  assert.equal(await fairlead.ended(), 0);
});

scenario('the commands help where nothing runs, and tell wrong usage', async (rig) => {
  const idle = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => idle.once('listening', resolve));
  const free = `127.0.0.1:${idle.address().port}`;
  await new Promise((resolve) => idle.close(resolve));
  for (const command of ['status', 'backends', 'reload', 'upgrade', 'drain']) {
    const got = await Fairlead.command(rig, [command, '--admin', free]);
    assert.equal(got.code, 1, command);
    assert.match(got.stderr, new RegExp(`no Fairlead answers at ${free}: .*\\[admin\\]`));
    assert.equal((await Fairlead.command(rig, [command, '--help'])).code, 0);
  }
  const missing = `unix:${path.join(rig.directory(), 'gone.sock')}`;
  assert.equal((await Fairlead.command(rig, ['status', '--admin', missing])).code, 1);
  for (const args of [
    ['status', 'too', 'many'],
    ['status', '--admin', 'no address'],
    ['drain', '--undo', '--admin', free],
    ['drain', 'chat', '--admin', free],
  ]) {
    const { code, stderr } = await Fairlead.command(rig, args);
    assert.equal(code, 2, `${args}: ${stderr}`);
  }
  // Something else listens there.
  const other = net.createServer((socket) => socket.end('220 smtp\r\n')).listen(0, '127.0.0.1');
  rig.defer(() => other.close());
  await new Promise((resolve) => other.once('listening', resolve));
  const got = await Fairlead.command(rig, ['status', '--admin', `127.0.0.1:${other.address().port}`]);
  assert.equal(got.code, 1);
});

scenario('of more connections than it holds the oldest are closed, and it answers on', async (rig) => {
  const { admin } = await start(rig);
  const sockets = [];
  rig.defer(() => sockets.forEach((socket) => socket.destroy()));
  let closed = 0;
  for (let i = 0; i < 80; ++i) {
    const socket = net.connect(admin);
    socket.on('error', () => {});
    socket.on('close', () => ++closed);
    socket.resume();
    sockets.push(socket);
  }
  await eventually(() => closed >= 16, 'those beyond 64 are closed');
  assert.equal(closed, 16);
  // All the places are held by those that never ask: checks get through, again and again.
  for (let i = 0; i < 3; ++i) {
    for (const path of ['/healthz', '/readyz']) assert.equal((await ask(admin, 'GET', path)).status, 200);
  }
  sockets.forEach((socket) => socket.destroy());
  await eventually(
    async () => (await ask(admin, 'GET', '/healthz').catch(() => ({}))).status === 200,
    'room again',
  );
});

scenario('check refuses an endpoint open to others without a token', async (rig) => {
  const file = path.join(rig.directory(), 'bad.toml');
  fs.writeFileSync(
    file,
    `[admin]\nlisten = "0.0.0.0:9180"\n[[listener]]\naddress = "127.0.0.1:0"\n[[route]]\nbackend = "b"\n[[backend]]\nname = "b"\nservers = ["127.0.0.1:1"]\n`,
  );
  const { code, stderr } = await Fairlead.command(rig, ['check', '-c', file]);
  assert.equal(code, 1);
  assert.match(stderr, /bad\.toml:2:10: admin: listen: "0\.0\.0\.0:9180" is open to other machines: this needs token_file/);
});
