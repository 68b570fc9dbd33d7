// [tracing]: traceparent, and spans for a collector.

import assert from 'node:assert/strict';
import net from 'node:net';
import { deadPort } from './lib/backend.js';
import { collector } from './lib/collector.js';
import { eventually } from './lib/deadline.js';
import { handshakeHead } from './lib/frames.js';
import { get, http } from './lib/plain.js';
import { scenario } from './lib/rig.js';

const kTrace = '4bf92f3577b34da6a3ce929d0e0e4736';
const kSpan = '00f067aa0ba902b7';
const parent = (flags) => `00-${kTrace}-${kSpan}-${flags}`;
const tracing = (endpoint, text) => `[tracing]\nendpoint = "${endpoint}"\ninterval = "50ms"\n${text}\n`;
const admin = '[admin]\nlisten = "127.0.0.1:0"\n';

// What /metrics says of the spans: { sent, dropped: { reason: n } }.
async function counts(fairlead) {
  const at = await fairlead.until(() => fairlead.stderr.match(/admin endpoint on (\S+)/)?.[1], 'the admin endpoint');
  const text = await (await fetch(`http://${at}/metrics`)).text();
  const dropped = {};
  for (const [, reason, n] of text.matchAll(/^fairlead_tracing_dropped_total\{reason="(\w+)"\} (\d+)/gm))
    dropped[reason] = Number(n);
  return { sent: Number(text.match(/^fairlead_tracing_spans_total (\d+)/m)[1]), dropped };
}

// So many plain requests, each on a connection of its own; all have to be answered with 200.
async function requests(rig, fairlead, n, lines = []) {
  for (let i = 0; i < n; ++i) {
    const client = await rig.connect(fairlead);
    client.send(get(`/${i}`, lines));
    assert.equal((await client.readHead()).status, 200);
    client.destroy();
  }
}

scenario('a session is a span, with its handshake, connect and close', async (rig) => {
  const sink = await collector(rig);
  const { backend, fairlead } = await rig.pair({
    more: tracing(sink.endpoint, 'sample = 1.0\nservice_name = "edge \\"1\\""'),
  });
  const { client, server, request } = await rig.session(fairlead, backend, {
    handshake: { path: '/room/7?token=secret', protocol: 'chat' },
    answer: { fields: { 'Sec-WebSocket-Protocol': 'chat' } },
  });
  client.sendText('hello');
  await server.expectText('hello');
  server.sendText('you too');
  await client.expectText('you too');
  client.sendClose(4001, 'bye');
  await server.nextFrame();
  server.sendClose(4001, 'bye');
  const [span] = await sink.until((spans) => spans.length === 1 && spans, 'the span');

  assert.equal(sink.posts[0].path, '/v1/traces');
  assert.equal(sink.posts[0].type, 'application/json');
  assert.equal(span.resource['service.name'], 'edge "1"');
  assert.equal(span.name, 'GET chat');
  assert.equal(span.kind, 2);
  assert.equal(span.parentSpanId, undefined);
  assert.equal(span.status, undefined);
  assert.match(span.traceId, /^[0-9a-f]{32}$/);
  assert.match(span.spanId, /^[0-9a-f]{16}$/);
  // What the backend was told is this span.
  assert.equal(request.get('traceparent'), `00-${span.traceId}-${span.spanId}-01`);
  const about = span.attributes;
  assert.equal(about['http.request.method'], 'GET');
  assert.equal(about['url.path'], '/room/7');
  assert.equal(about['url.scheme'], 'http');
  assert.equal(about['server.address'], 'chat.example.com');
  assert.equal(about['client.address'], '127.0.0.1');
  assert.equal(about['network.protocol.name'], 'websocket');
  assert.equal(about['http.response.status_code'], 101);
  assert.equal(about['fairlead.route'], 'chat');
  assert.equal(about['fairlead.server'], backend.address);
  assert.equal(about['fairlead.subprotocol'], 'chat');
  assert.equal(about['fairlead.messages.in'], 1);
  assert.equal(about['fairlead.messages.out'], 1);
  assert.equal(about['fairlead.bytes.in'], 5);
  assert.equal(about['fairlead.bytes.out'], 7);
  assert.equal(about['fairlead.close.code'], 4001);
  assert.equal(about['fairlead.close.by'], 'client');
  assert.equal(about['fairlead.close.reason'], 'bye');
  const log = await fairlead.waitForClose();
  assert.equal(about['fairlead.connection'], log.conn_id);
  assert.deepEqual(span.events.map((event) => event.name), ['connect', 'handshake', 'close']);
  const times = [span.startTimeUnixNano, ...span.events.map((event) => event.timeUnixNano)];
  assert.deepEqual([...times].sort(), times);
  assert.equal(span.events[2].timeUnixNano, span.endTimeUnixNano);
  assert.ok(Math.abs(Number(BigInt(span.startTimeUnixNano) / 1_000_000n) - Date.now()) < 60_000);
  assert.ok(!JSON.stringify(sink.posts).includes('secret'));
});

scenario('a sampled parent is followed, another is left alone', async (rig) => {
  const sink = await collector(rig);
  const { backend, fairlead } = await rig.pair({ more: tracing(sink.endpoint, 'sample = 0') });
  const open = async (traceparent, tracestate) => {
    const fields = { ...(traceparent && { traceparent }), ...(tracestate && { tracestate }) };
    const { client, server, request } = await rig.session(fairlead, backend, {
      handshake: { fields },
    });
    client.destroy();
    server.destroy(); // else its answer to the Close would be waited for
    return { sent: request.get('traceparent'), state: request.get('tracestate') };
  };
  const followed = await open(parent('01'), 'a=1,b=2');
  const [span] = await sink.until((spans) => spans.length === 1 && spans, 'the span');
  assert.equal(span.traceId, kTrace);
  assert.equal(span.parentSpanId, kSpan);
  assert.equal(span.traceState, 'a=1,b=2');
  assert.equal(followed.sent, `00-${kTrace}-${span.spanId}-01`);
  assert.equal(followed.state, 'a=1,b=2');
  assert.match(span.attributes['fairlead.reason'], /^(client|backend)_gone$/);

  assert.deepEqual(await open(parent('00'), 'a=1'), { sent: parent('00'), state: 'a=1' });
  // A version to come is followed as far as it is known.
  assert.match((await open(`cc-${kTrace}-${kSpan}-01-more`)).sent, new RegExp(`^00-${kTrace}-`));
  // What is not valid counts as none, and neither does its tracestate.
  const anew = await open(parent('01').toUpperCase(), 'a=1');
  assert.match(anew.sent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  assert.notEqual(anew.sent.slice(3, 35), kTrace);
  assert.equal(anew.state, undefined);
  assert.match((await open()).sent, /-00$/);
  await sink.until((spans) => spans.length === 2, 'the second span');
  assert.equal(await fairlead.stop(), undefined);
  assert.equal(sink.spans().length, 2);
});

scenario('without [tracing] nothing is added, and parents = "trusted" asks who says so', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const { request } = await rig.session(fairlead, backend);
  assert.equal(request.get('traceparent'), undefined);
  const sink = await collector(rig);
  const second = await rig.pair({ more: tracing(sink.endpoint, 'sample = 0\nparents = "trusted"') });
  const foreign = await rig.session(second.fairlead, second.backend, {
    handshake: { fields: { traceparent: parent('01') } },
  });
  assert.match(foreign.request.get('traceparent'), /-00$/);
  assert.notEqual(foreign.request.get('traceparent').slice(3, 35), kTrace);
});

scenario('plain requests and refusals are spans too', async (rig) => {
  const sink = await collector(rig);
  const backend = await http(rig);
  const fairlead = await rig.run({ servers: [backend.address], more: tracing(sink.endpoint, 'sample = 1') });
  await requests(rig, fairlead, 1);
  const client = await rig.connect(fairlead);
  client.send(handshakeHead({ fields: { Origin: 'https://evil.example' } }));
  assert.equal((await client.readHead()).status, 403);
  await sink.until((spans) => spans.length === 2, 'two spans');
  const [good, bad] = sink.spans().sort(
    (a, b) => a.attributes['http.response.status_code'] - b.attributes['http.response.status_code'],
  );
  assert.equal(good.attributes['network.protocol.name'], 'http');
  assert.equal(good.attributes['network.protocol.version'], '1.1');
  assert.equal(good.attributes['url.path'], '/0');
  assert.equal(good.attributes['fairlead.bytes.out'], 2);
  assert.deepEqual(good.events.map((event) => event.name), ['connect']);
  assert.equal(bad.attributes['http.response.status_code'], 403);
  assert.equal(bad.attributes['fairlead.reason'], 'origin_denied');
  assert.deepEqual(bad.events, []);

  // A fault of the backend's side is an error.
  await backend.close();
  const late = await rig.connect(fairlead);
  late.send(get('/'));
  assert.equal((await late.readHead()).status, 502);
  const spans = await sink.until((all) => all.length === 3 && all, 'the third');
  const failed = spans.find((span) => span.attributes['http.response.status_code'] === 502);
  assert.equal(failed.status.code, 2);
  assert.equal(failed.attributes['error.type'], 'backend_unreachable');
});

scenario('batches, and what is left at the end', async (rig) => {
  const sink = await collector(rig);
  const backend = await http(rig);
  const fairlead = await rig.run({
    servers: [backend.address],
    more: `[tracing]\nendpoint = "${sink.endpoint}"\nsample = 1\ninterval = "1h"\nbatch = 10\n`,
  });
  await requests(rig, fairlead, 25);
  await sink.until((spans) => spans.length >= 20, 'two batches');
  await fairlead.stop();
  assert.deepEqual(sink.posts.map(({ body }) => body.resourceSpans[0].scopeSpans[0].spans.length), [10, 10, 5]);
});

scenario('a collector that is away, slow, or talks garbage harms nobody', async (rig) => {
  const backend = await http(rig);
  const port = await deadPort();
  const fairlead = await rig.run({
    servers: [backend.address],
    more: admin + tracing(`http://127.0.0.1:${port}`, 'sample = 1\nqueue = 20'),
  });
  await requests(rig, fairlead, 50);
  await fairlead.until(() => /connecting: Connection refused/.test(fairlead.stderr), 'it says so');
  const away = await eventually(async () => {
    const now = await counts(fairlead);
    return now.dropped.queue_full >= 30 && now;
  }, 'what was too much is counted');
  assert.equal(away.sent, 0);
  // It comes up: what was kept is sent.
  const sink = await collector(rig, { port });
  await sink.until((spans) => spans.length === 20, 'what was kept');
  await eventually(async () => (await counts(fairlead)).sent === 20, 'and counted');

  // Silent, then garbage: either way the timeout or the answer ends the try.
  const sockets = [];
  const hole = net.createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    if (sockets.length % 2 === 0) socket.end('not HTTP at all\r\n\r\n');
  });
  await new Promise((resolve) => hole.listen(0, '127.0.0.1', resolve));
  rig.defer(() => hole.close());
  rig.defer(() => sockets.forEach((socket) => socket.destroy()));
  const second = await rig.run({
    servers: [backend.address],
    more: tracing(`http://127.0.0.1:${hole.address().port}`, 'sample = 1\nqueue = 5\ntimeout = "100ms"'),
  });
  await requests(rig, second, 30);
  await second.until(() => /no answer within 100ms/.test(second.stderr), 'it says so');
  await eventually(() => sockets.length >= 2, 'another try');
});

scenario('what a collector rejects is not sent again', async (rig) => {
  const backend = await http(rig);
  const sink = await collector(rig, {
    answer: (request, response, n) => {
      response.statusCode = n === 1 ? 400 : n === 2 ? 503 : 200;
      response.setHeader('Retry-After', '0');
      response.end('{}');
    },
  });
  const fairlead = await rig.run({ servers: [backend.address], more: admin + tracing(sink.endpoint, 'sample = 1') });
  await requests(rig, fairlead, 1);
  await eventually(async () => (await counts(fairlead)).dropped.rejected === 1, 'it is dropped');
  await requests(rig, fairlead, 1);
  await sink.until(() => sink.posts.length === 3, 'sent again after the 503');
  assert.deepEqual(sink.posts[1].body, sink.posts[2].body);
  await eventually(async () => (await counts(fairlead)).sent === 1, 'and counted');
});
