// The metrics of interface.md, section 8: all names, exact counts after known traffic, moving while sessions are open.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { deadPort } from './lib/backend.js';
import { eventually } from './lib/deadline.js';
import { Op, handshakeHead } from './lib/frames.js';
import { get } from './lib/requests.js';
import { scenario } from './lib/rig.js';
import { watched } from './lib/watch.js';

const kNames = {
  gauge: ['build_info', 'config_last_reload_successful', 'connections', 'sessions', 'backend_up', 'backend_sessions', 'worker_connections'],
  counter: [
    'sessions_total', 'refused_total', 'messages_total', 'bytes_total', 'close_total', 'session_ends_total', 'dead_peers_total', 'limit_total',
    'tls_handshakes_total', 'http_requests_total', 'log_lines_lost_total', 'backend_connect_failures_total',
  ],
  histogram: ['session_duration_seconds', 'handshake_seconds', 'ping_rtt_seconds', 'backend_connect_seconds'],
};

// What Prometheus' own checker says of the text; nothing where it is not installed.
function lint(text) {
  const { error, status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  if (error?.code === 'ENOENT') return;
  assert.equal(`${stdout}${stderr}`, '', 'promtool check metrics');
  assert.equal(status, 0);
}

scenario('counts move while a session is open, and are exact', async (rig) => {
  const backend = await rig.backend();
  const watch = await watched(rig, { servers: [backend.address], route: 'origins = ["any"]' });
  const { client, server } = await rig.session(watch.fairlead, backend);
  client.sendText('hello');
  await server.expectText('hello');
  client.sendFrame({ op: Op.binary, fin: false, payload: Buffer.alloc(70_000) });
  client.sendFrame({ op: Op.continuation, payload: 'end' });
  await server.expectFrame({ op: Op.binary });
  await server.expectFrame({ op: Op.continuation });
  server.sendFrame({ op: Op.ping, payload: 'p' });
  await client.expectFrame({ op: Op.ping });
  client.sendFrame({ op: Op.pong, payload: 'p' });
  await server.expectFrame({ op: Op.pong });

  const of = (direction, opcode) => `messages_total{route="chat",direction="${direction}",opcode="${opcode}"}`;
  let now = await watch.metrics();
  const port = watch.fairlead.port;
  assert.equal(now(`connections{listener="127.0.0.1:${port}"}`), 1);
  assert.equal(now('sessions{route="chat",backend="pool"}'), 1);
  assert.equal(now('sessions_total{route="chat",result="opened"}'), 1);
  assert.equal(now(of('in', 'text')), 1);
  assert.equal(now(of('in', 'binary')), 1);
  assert.equal(now(of('in', 'continuation')), 1);
  assert.equal(now(of('in', 'pong')), 1);
  assert.equal(now(of('out', 'ping')), 1);
  assert.equal(now(of('out', 'text')), 0);
  assert.equal(now('bytes_total{route="chat",direction="in"}'), 5 + 70_000 + 3);
  assert.equal(now('bytes_total{route="chat",direction="out"}'), 0);
  assert.equal(now('handshake_seconds_count'), 1);
  assert.equal(now('backend_connect_seconds_count'), 1);
  assert.equal(now('session_duration_seconds_count'), 0);

  client.sendClose(4002, 'done');
  await server.expectClose(4002);
  server.sendClose(4002);
  server.end();
  await watch.fairlead.waitForClose();
  client.destroy();
  now = await watch.metrics();
  assert.equal(now('close_total{route="chat",code="4002",by="client"}'), 1);
  assert.equal(now('session_ends_total{route="chat",reason="client_closed"}'), 1);
  assert.equal(now('session_ends_total{route="chat",reason="client_gone"}'), 0);
  assert.equal(now(of('in', 'close')), 1);
  assert.equal(now(of('out', 'close')), 1);
  assert.equal(now('sessions{route="chat",backend="pool"}'), 0);
  assert.equal(now('session_duration_seconds_bucket{le="+Inf"}'), 1);
  await eventually(async () => (await watch.metrics())(`connections{listener="127.0.0.1:${port}"}`) === 0, 'the connection is counted out');
});

scenario('all names are there, promtool has nothing to say, and a reload starts no count anew', async (rig) => {
  const backend = await rig.backend();
  const watch = await watched(rig, { servers: [backend.address], tls: rig.certificate().toml, route: 'path = "/chat"' });
  const tlsOptions = { servername: 'chat.example.com' };
  const connect = { tlsOptions };
  const { client } = await rig.session(watch.fairlead, backend, { connect, handshake: { path: '/chat' } });
  for (const bytes of [
    get('/nowhere'),
    handshakeHead({ path: '/chat', fields: { Origin: 'https://evil.example' } }),
    handshakeHead({ path: '/chat', fields: { 'Sec-WebSocket-Version': '8' } }),
  ]) {
    const other = await rig.connect(watch.fairlead, connect);
    await other.request(bytes);
    other.destroy();
  }
  const declining = await rig.connect(watch.fairlead, connect);
  declining.send(handshakeHead({ path: '/chat' }));
  const server = await backend.accept();
  await server.readHead();
  server.send('HTTP/1.1 418 Teapot\r\nContent-Length: 0\r\n\r\n');
  assert.equal((await declining.readHead()).status, 418);

  let now = await watch.metrics();
  for (const [type, names] of Object.entries(kNames)) {
    for (const name of names) assert.ok(now.text.includes(`\n# TYPE fairlead_${name} ${type}\n`) || now.text.startsWith(`# HELP fairlead_${name} `), name);
  }
  lint(now.text);
  assert.equal(now('tls_handshakes_total{version="TLSv1.3",resumed="false"}'), 5);
  assert.equal(now('refused_total{reason="no_route"}'), 1);
  assert.equal(now('refused_total{reason="origin_denied"}'), 1);
  assert.equal(now('refused_total{reason="bad_websocket_version"}'), 1);
  assert.equal(now('http_requests_total{route="",status="404"}'), 1);
  assert.equal(now('http_requests_total{route="chat",status="403"}'), 1);
  assert.equal(now('http_requests_total{route="chat",status="418"}'), 1);
  assert.equal(now('sessions_total{route="chat",result="declined"}'), 1);
  assert.equal(now('sessions_total{route="chat",result="opened"}'), 1);

  assert.equal((await watch.ask('POST', '/api/reload')).status, 200);
  client.sendText('after the reload');
  now = await watch.metrics();
  assert.equal(now('sessions_total{route="chat",result="opened"}'), 1);
  assert.equal(now('sessions{route="chat",backend="pool"}'), 1);
  await eventually(
    async () => (await watch.metrics())('messages_total{route="chat",direction="in",opcode="text"}') === 1,
    'a session from before the reload counts on',
  );
});

scenario('limits and dead peers', async (rig) => {
  const backend = await rig.backend({ onPeer: (peer) => peer.oblige().catch(() => {}) });
  const watch = await watched(rig, {
    servers: [backend.address],
    limits: 'connections_per_ip = 1',
    websocket: 'max_message = "1KiB"\nping_interval = "100ms"\nping_timeout = "100ms"\nping_backend = false',
  });
  const silent = await rig.connect(watch.fairlead);
  await silent.upgrade();
  const second = await rig.connect(watch.fairlead);
  assert.equal((await second.request(handshakeHead({}))).status, 429);
  second.destroy();
  await watch.fairlead.waitForClose('the silent client is dead');
  silent.destroy();
  const loud = await rig.connect(watch.fairlead);
  await loud.upgrade();
  loud.sendText('x'.repeat(1025));
  await watch.fairlead.until(() => watch.fairlead.log.filter((one) => one.event === 'close').length === 2, 'its end');
  const now = await watch.metrics();
  assert.equal(now('limit_total{limit="connections_per_ip",action="refuse"}'), 1);
  assert.equal(now('limit_total{limit="max_message",action="close"}'), 1);
  assert.equal(now('dead_peers_total{side="client"}'), 1);
  assert.equal(now('close_total{route="chat",code="1009",by="proxy"}'), 1);
  assert.equal(now('sessions_total{route="chat",result="refused"}'), 1);
});

scenario('a dead server is ejected in every place that speaks of it, without health checks', async (rig) => {
  const port = await deadPort();
  const name = `127.0.0.1:${port}`;
  const watch = await watched(rig, { servers: [name] });
  const labels = `{backend="pool",server="${name}"}`;
  assert.equal((await watch.metrics())(`backend_up${labels}`), 1);
  for (let i = 0; i < 3; ++i) {
    const client = await rig.connect(watch.fairlead);
    client.send(get('/'));
    assert.equal((await client.readAnswer()).status, 502);
    client.destroy();
  }
  const metrics = await watch.metrics();
  assert.equal(metrics(`backend_up${labels}`), 0);
  assert.equal(metrics(`backend_connect_failures_total${labels}`), 3);
  const [server] = (await watch.ask('GET', '/api/backends')).json.backends[0].servers;
  assert.deepEqual([server.state, server.up, server.set, server.checked], ['ejected', false, 'ready', false]);
  assert.equal(server.reason, 'connecting: Connection refused');
  assert.equal(server.last_error, server.reason);
  assert.ok(server.seconds_left >= 0 && server.since && server.last_error_at, JSON.stringify(server));
  assert.deepEqual((await watch.ask('GET', '/api/status')).json.servers, { ready: 0, ejected: 1, down: 0, drain: 0 });
  assert.match((await watch.command('backends')).stdout, /ejected, \d+s left +no .*connecting: Connection refused/);
  assert.match((await watch.command('status')).stdout, /^servers +1 ejected$/m);
  const line = await watch.fairlead.waitForLog((entry) => entry.status === 502);
  assert.equal(line.detail, 'Connection refused');
  assert.equal(watch.fairlead.stderr.split('connecting to').length - 1, 1, watch.fairlead.stderr);
});
