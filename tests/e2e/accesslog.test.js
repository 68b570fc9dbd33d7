// The access log: one JSON object a line, two for a session, one for a plain exchange, whatever the end.

import assert from 'node:assert/strict';
import { deadPort } from './lib/backend.js';
import { Op, frame, handshakeHead } from './lib/frames.js';
import { scenario } from './lib/rig.js';

const kGet =
  'GET /page?token=secret HTTP/1.1\r\nHost: chat.example.com\r\nX-Request-Id: r1\r\n\r\n';

scenario('a session has an open and a close line with all that is known of it', async (rig) => {
  const { backend, fairlead } = await rig.pair({
    tls: rig.certificate().toml,
    route: 'origins = ["any"]',
  });
  const before = Date.now();
  const { client, server } = await rig.session(fairlead, backend, {
    connect: { tlsOptions: { servername: 'chat.example.com' } },
    handshake: {
      path: '/chat?token=secret',
      protocol: 'v1',
      extensions: 'permessage-deflate',
      fields: { Origin: 'https://app.example.com', 'X-Request-Id': 'r1' },
    },
    answer: {
      fields: { 'Sec-WebSocket-Protocol': 'v1', 'Sec-WebSocket-Extensions': 'permessage-deflate' },
    },
  });
  const open = await fairlead.waitForLog((entry) => entry.event === 'open');
  client.sendText('hello');
  await server.expectText('hello');
  server.sendText('hello yourself');
  server.sendText('again');
  await client.expectText('hello yourself');
  await client.expectText('again');
  client.sendClose(4002, 'that is all');
  await server.expectClose(4002);
  server.sendClose(4002);
  server.end();
  const close = await fairlead.waitForClose();

  for (const entry of [open, close]) {
    const known = {
      request_id: 'r1',
      client_ip: '127.0.0.1',
      sni: 'chat.example.com',
      path: '/chat',
      route: 'chat',
      backend: 'pool',
      server: backend.address,
      status: 101,
      origin: 'https://app.example.com',
      subprotocol: 'v1',
      extensions: 'permessage-deflate',
    };
    for (const [name, value] of Object.entries(known))
      assert.equal(entry[name], value, `${name} of ${JSON.stringify(entry)}`);
    assert.match(entry.host, /^chat\.example\.com/);
    for (const name of ['ts', 'conn_id', 'listener', 'tls', 'handshake_ms'])
      assert.ok(
        entry[name] !== undefined && entry[name] !== null && entry[name] !== '',
        `${name} of ${JSON.stringify(entry)}`,
      );
    assert.ok(Math.abs(new Date(entry.ts).getTime() - before) < 60_000, `ts: ${entry.ts}`);
  }
  assert.equal(open.conn_id, close.conn_id);
  const ended = {
    msgs_in: 1,
    msgs_out: 2,
    bytes_in: 5,
    bytes_out: 19,
    close_code: 4002,
    close_reason: 'that is all',
    closed_by: 'client',
    reason: 'client_closed',
  };
  for (const [name, value] of Object.entries(ended))
    assert.equal(close[name], value, `${name} of ${JSON.stringify(close)}`);
  assert.ok(close.duration_ms >= 0);
  assert.ok(
    !fairlead.stdout.includes('secret') && !fairlead.stderr.includes('secret'),
    'no query string anywhere',
  );
});

scenario('a plain exchange has one line', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const client = await rig.connect(fairlead);
  client.send(kGet);
  const server = await backend.accept();
  await server.readHead();
  server.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  server.end();
  await client.readAnswer();
  const entry = await fairlead.waitForLog((one) => one.event === 'http');
  const known = {
    request_id: 'r1',
    client_ip: '127.0.0.1',
    path: '/page',
    route: 'chat',
    backend: 'pool',
    server: backend.address,
    status: 200,
    reason: 'done',
  };
  for (const [name, value] of Object.entries(known))
    assert.equal(entry[name], value, `${name} of ${JSON.stringify(entry)}`);
  client.destroy();
  await fairlead.stop();
  assert.equal(fairlead.log.length, 1);
  assert.ok(!fairlead.stdout.includes('secret'));
});

scenario('a refusal has one line with its status and reason', async (rig) => {
  const fairlead = await rig.run({
    servers: [`127.0.0.1:${await deadPort()}`],
    route: 'path = "/chat"',
  });
  const rows = [
    [
      handshakeHead({ path: '/chat', fields: { Origin: 'https://evil.example' } }),
      403,
      'origin_denied',
    ],
    [handshakeHead({ path: '/other' }), 404, 'no_route'],
    [handshakeHead({ path: '/chat', key: 'x' }), 400, 'bad_websocket_key'],
    [
      handshakeHead({ path: '/chat', fields: { 'Sec-WebSocket-Version': '8' } }),
      426,
      'bad_websocket_version',
    ],
    ['GET / HTTP/1.1\r\nHost : a\r\n\r\n', 400, 'malformed_request'],
    [handshakeHead({ path: '/chat' }), 502, 'backend_unreachable'],
  ];
  for (const [index, [bytes, status, reason]] of rows.entries()) {
    const client = await rig.connect(fairlead);
    assert.equal((await client.request(bytes)).status, status);
    client.destroy();
    await fairlead.until(() => fairlead.log.length > index, reason);
    const entry = fairlead.log[index];
    assert.deepEqual([entry.event, entry.status, entry.reason], ['http', status, reason]);
  }
  await fairlead.stop();
  assert.equal(fairlead.log.length, rows.length);
});

// Every way a session can end, each told apart by its reason.
const kEndings = {
  client_closed: async ({ client, server }) => {
    client.sendClose(1000);
    await server.expectClose(1000);
    server.sendClose(1000);
    server.end();
  },
  backend_closed: async ({ client, server }) => {
    server.sendClose(1000);
    server.end();
    await client.expectClose(1000);
    client.sendClose(1000);
  },
  client_gone: ({ client }) => client.abort(),
  backend_gone: ({ server }) => server.abort(),
  client_protocol_error: ({ client }) => client.sendFrame({ op: 3 }),
  backend_protocol_error: ({ server }) => server.sendFrame({ op: 3 }),
  client_bad_text: ({ client }) =>
    client.sendFrame({ op: Op.close, payload: Buffer.from([3, 232, 0xff]) }),
  backend_bad_text: ({ server }) =>
    server.sendFrame({ op: Op.close, payload: Buffer.from([3, 232, 0xff]) }),
  client_message_too_big: ({ client }) => client.sendText('x'.repeat(2000)),
  backend_message_too_big: ({ server }) => server.sendText('x'.repeat(2000)),
  rate_exceeded: ({ client }) =>
    client.send(
      Buffer.concat(Array.from({ length: 30 }, () => frame({ mask: true, payload: 'x' }))),
    ),
  idle_timeout: async ({ client }) => {
    await client.expectClose(1001); // unanswered it would have five seconds, and the server five more
    client.sendClose(1001);
  },
};

scenario('exactly one close line, whatever the end', async (rig) => {
  const { backend, fairlead } = await rig.pair({
    websocket:
      'max_message = "1KiB"\nmax_message_from_backend = "1KiB"\nidle_timeout = "2s"\nping_interval = "off"',
    limits: 'messages = { rate = "1/m", burst = 20 }\non_excess = "close"',
  });
  const sessions = [];
  for (const [reason, end] of Object.entries(kEndings)) {
    const session = await rig.session(fairlead, backend, {
      handshake: { fields: { 'X-Request-Id': reason } },
    });
    sessions.push({ reason, session, done: end(session) });
  }
  await Promise.all(
    sessions.map(async ({ reason, session, done }) => {
      await done;
      const entry = await fairlead.waitForLog(
        (one) => one.event === 'close' && one.request_id === reason,
        `the end by ${reason}`,
      );
      assert.equal(entry.reason, reason);
      session.client.destroy();
      session.server.destroy();
    }),
  );
  await fairlead.stop();
  for (const reason of Object.keys(kEndings)) {
    const events = fairlead.log
      .filter((entry) => entry.request_id === reason)
      .map((entry) => entry.event);
    assert.deepEqual(events, ['open', 'close'], reason);
  }
});

scenario('access = "off" prints no lines', async (rig) => {
  const { backend, fairlead } = await rig.pair({ more: '[log]\naccess = "off"\n' });
  const { client, server } = await rig.session(fairlead, backend);
  client.sendClose(1000);
  await server.expectClose(1000);
  server.end();
  await client.until(() => client.ended, 'the end');
  await fairlead.stop();
  assert.equal(fairlead.stdout, '');
});

scenario('what a client puts into its fields cannot break a line', async (rig) => {
  const { backend, fairlead } = await rig.pair({ route: 'origins = ["any"]' });
  const odd = 'a"b\\c\td\u00ff{}';
  const { client, server } = await rig.session(fairlead, backend, {
    handshake: { fields: { Origin: odd } },
  });
  client.sendClose(1000, 'quote " backslash \\ newline \n end');
  await server.expectClose(1000);
  server.sendClose(1000);
  server.end();
  const entry = await fairlead.waitForClose(); // each line was parsed as JSON on the way
  assert.equal(entry.close_reason, 'quote " backslash \\ newline \n end');
});

scenario('a long session has lines in between, with its counts so far', async (rig) => {
  const { backend, fairlead } = await rig.pair({ more: '[log]\naccess_interval = "1s"' });
  const { client, server } = await rig.session(fairlead, backend);
  client.sendText('hello');
  await server.expectText('hello');
  const first = await fairlead.waitForLog((entry) => entry.event === 'update');
  assert.deepEqual([first.msgs_in, first.bytes_in, first.status], [1, 5, 101]);
  assert.equal(first.close_code, undefined);
  client.sendText('again');
  const second = await fairlead.waitForLog((entry) => entry.event === 'update' && entry.msgs_in === 2);
  assert.ok(second.duration_ms - first.duration_ms > 900, JSON.stringify([first, second]));
  client.destroy();
  const close = await fairlead.waitForClose();
  assert.equal(close.conn_id, first.conn_id);
});
