// A handshake on its way to a backend and back: what the backend sees, what of its answer is believed.

import assert from 'node:assert/strict';
import net from 'node:net';
import { deadPort } from './lib/backend.js';
import { moment } from './lib/deadline.js';
import { Op, acceptKey, frame, handshakeHead, makeKey } from './lib/frames.js';
import { get, refused } from './lib/requests.js';
import { scenario } from './lib/rig.js';

scenario('a server that refuses or resets gives 502', async (rig) => {
  const fairlead = await rig.run({ servers: [`127.0.0.1:${await deadPort()}`] });
  await refused(rig, fairlead, handshakeHead(), 502, 'backend_unreachable');
  await refused(rig, fairlead, get('/'), 502, 'backend_unreachable');

  const resetting = await rig.backend({
    onPeer: async (peer) => {
      await peer.readHead();
      peer.abort();
    },
  });
  const second = await rig.run({ servers: [resetting.address] });
  await refused(rig, second, handshakeHead(), 502);
  await refused(rig, second, get('/'), 502);
});

scenario('a server that does not answer in time gives 504', async (rig) => {
  const { backend, fairlead } = await rig.pair({ timeouts: 'response_head = "300ms"' });
  await refused(rig, fairlead, handshakeHead(), 504, 'backend_answer_timeout');
  const server = await backend.accept();
  await server.readHead();
  await server.expectEnd();
  await refused(rig, fairlead, get('/'), 504, 'backend_answer_timeout');
});

scenario('a server that never ends its head gives 504 all the same', async (rig) => {
  const { fairlead } = await rig
    .pair({ timeouts: 'response_head = "400ms"' })
    .then(async ({ backend, fairlead: one }) => {
      backend.accept().then(async (peer) => {
        await peer.readHead();
        peer.send('HTTP/1.1 101 Switching Protocols\r\n');
        const timer = setInterval(
          () => (peer.ended ? clearInterval(timer) : peer.send('X: y\r\n')),
          50,
        );
        rig.defer(() => clearInterval(timer));
      });
      return { fairlead: one };
    });
  await refused(rig, fairlead, handshakeHead(), 504, 'backend_answer_timeout');
});

const kBadAnswers = {
  'a wrong Sec-WebSocket-Accept': { 'Sec-WebSocket-Accept': acceptKey(makeKey()) },
  'no Sec-WebSocket-Accept': { 'Sec-WebSocket-Accept': null },
  'no Upgrade': { Upgrade: null },
  'another Upgrade': { Upgrade: 'h2c' },
  'no Connection': { Connection: null },
  'another Connection': { Connection: 'keep-alive' },
  'a subprotocol nobody offered': { 'Sec-WebSocket-Protocol': 'stolen' },
  'two subprotocols': { 'Sec-WebSocket-Protocol': 'one, two' },
  'an extension nobody offered': { 'Sec-WebSocket-Extensions': 'x-unknown' },
};

scenario('a bad 101 gives 502 and never a tunnel', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  for (const [what, fields] of Object.entries(kBadAnswers)) {
    const client = await rig.connect(fairlead);
    client.send(handshakeHead({ protocol: 'one, two', extensions: 'permessage-deflate' }));
    const server = await backend.accept();
    await server.acceptUpgrade({ fields });
    const answer = await client.readAnswer();
    assert.equal(answer.status, 502, what);
    assert.ok(answer.body.includes('backend_bad_answer'), what);
    assert.equal(answer.head.get('sec-websocket-accept'), undefined, what);
    await server.expectEnd();
    client.destroy();
  }
  await fairlead.waitForLog(
    (entry) => entry.reason === 'backend_bad_answer' && entry.status === 502,
  );
});

scenario('an answer that is no HTTP gives 502', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  for (const bytes of [
    'SSH-2.0-OpenSSH\r\n\r\n',
    'HTTP/1.1 abc Nonsense\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA b: c\r\n\r\n',
    'HTTP/1.1 101 Switching',
  ]) {
    const client = await rig.connect(fairlead);
    client.send(handshakeHead());
    const server = await backend.accept();
    await server.readHead();
    server.send(bytes);
    server.end();
    assert.equal((await client.readAnswer()).status, 502, bytes);
    client.destroy();
  }
});

scenario('a 101 to a request that is no handshake never opens a tunnel', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const client = await rig.connect(fairlead);
  client.send(get('/'));
  const server = await backend.accept();
  await server.readHead();
  server.send(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
  );
  const head = await client.readHead();
  assert.notEqual(head.status, 101);
});

scenario('an answer other than 101 to a handshake is relayed with its body', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const rows = [
    [
      'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Length: 5\r\nX-App: yes\r\n\r\nlogin',
      401,
      'login',
    ],
    [
      'HTTP/1.1 503 Service Unavailable\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbusy\r\n0\r\n\r\n',
      503,
      'busy',
    ],
    ['HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n', 302, ''],
    ['HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end', 200, 'until the end'],
  ];
  for (const [answer, status, body] of rows) {
    const client = await rig.connect(fairlead);
    client.send(handshakeHead());
    const server = await backend.accept();
    await server.readHead();
    server.send(answer);
    server.end();
    const got = await client.readAnswer();
    assert.equal(got.status, status);
    assert.equal(got.body, body);
    if (status === 401)
      assert.deepEqual(
        [got.head.get('www-authenticate'), got.head.get('x-app')],
        ['Bearer', 'yes'],
      );
    if (status === 302) assert.equal(got.head.get('location'), '/elsewhere');
    client.destroy();
    await fairlead.waitForLog((entry) => entry.event === 'http' && entry.status === status);
  }
  assert.ok(!fairlead.log.some((entry) => entry.event === 'open'), 'no session was opened');
});

scenario(
  'not one byte past the head reaches the backend before its 101, all of them after it',
  async (rig) => {
    const { backend, fairlead } = await rig.pair();
    const client = await rig.connect(fairlead);
    const early = client.build({ payload: 'early' });
    client.send(Buffer.concat([Buffer.from(handshakeHead()), early]));
    const server = await backend.accept();
    const request = await server.readHead();
    client.sendText('later');
    await moment();
    assert.equal(server.buffer.length, 0, 'nothing after the head');
    server.answer101(request);
    assert.equal((await client.readHead()).status, 101);
    await server.expectText('early');
    await server.expectText('later');
  },
);

scenario(
  'bytes pipelined after a handshake never reach a backend whose 101 is bad',
  async (rig) => {
    const { backend, fairlead } = await rig.pair();
    const client = await rig.connect(fairlead);
    client.send(Buffer.concat([Buffer.from(handshakeHead()), Buffer.from(get('/admin'))]));
    const server = await backend.accept();
    await server.acceptUpgrade({ fields: { 'Sec-WebSocket-Accept': 'wrong' } });
    assert.equal((await client.readAnswer()).status, 502);
    await server.expectEnd();
  },
);

scenario("frames in the same packet as the backend's 101 arrive", async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const then = Buffer.concat([frame({ payload: 'one' }), frame({ op: Op.binary, payload: 'two' })]);
  const { client } = await rig.session(fairlead, backend, { answer: { then } });
  await client.expectText('one');
  await client.expectFrame({ op: Op.binary, payload: 'two' });
});

scenario('a handshake that arrives byte by byte is one all the same', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const client = await rig.connect(fairlead);
  for (const byte of Buffer.concat([
    Buffer.from(handshakeHead()),
    client.build({ payload: 'hello' }),
  ]))
    await client.send(Buffer.from([byte]));
  const server = await backend.accept();
  await server.acceptUpgrade();
  assert.equal((await client.readHead()).status, 101);
  await server.expectText('hello');
});

scenario('Upgrade and Connection are lists of case-insensitive tokens', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  for (const fields of [
    { Upgrade: 'WebSocket' },
    { Connection: 'keep-alive, Upgrade' },
    { Connection: 'UPGRADE' },
    { Upgrade: 'h2c, websocket' },
  ]) {
    const { client, request } = await rig.session(fairlead, backend, { handshake: { fields } });
    assert.deepEqual(
      request.all('upgrade').map((one) => one.toLowerCase()),
      ['websocket'],
    );
    client.destroy();
  }
});

scenario('what the backend sees of a handshake', async (rig) => {
  const { backend, fairlead } = await rig.pair({ route: 'origins = ["any"]' });
  const key = makeKey();
  const { request } = await rig.session(fairlead, backend, {
    handshake: {
      path: '/chat?room=1&x=%2F',
      host: 'chat.example.com:8080',
      key,
      fields: {
        'Sec-WebSocket-Key': null,
        'sec-websocket-key': key,
        'Sec-WebSocket-Version': null,
        'sec-websocket-version': '13',
        'sec-websocket-protocol': 'a, b',
        'SEC-WEBSOCKET-EXTENSIONS': 'permessage-deflate; client_max_window_bits',
        Origin: 'https://app.example.com',
        Cookie: 'session=1; theme=dark',
        'User-Agent': 'raw',
        Authorization: 'Bearer t',
        traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
        Connection: 'Upgrade, X-Drop, keep-alive',
        'X-Drop': 'me',
        'Keep-Alive': 'timeout=5',
        'Proxy-Connection': 'keep-alive',
        TE: 'trailers',
        'X-Forwarded-For': '1.2.3.4',
        'X-Forwarded-Proto': 'https',
        'X-Forwarded-Host': 'evil.example',
        'X-Forwarded-Port': '1',
        'X-Real-IP': '1.2.3.4',
      },
    },
    answer: { fields: { 'Sec-WebSocket-Protocol': 'a' } },
  });

  assert.equal(request.first, 'GET /chat?room=1&x=%2F HTTP/1.1');
  const one = (name, value) => assert.deepEqual(request.all(name), [value], name);
  one('host', 'chat.example.com:8080');
  one('upgrade', 'websocket');
  assert.match(request.get('connection'), /^upgrade$/i);
  one('origin', 'https://app.example.com');
  one('cookie', 'session=1; theme=dark');
  one('user-agent', 'raw');
  one('authorization', 'Bearer t');
  one('traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01');
  // Not a trusted peer: what it says of itself is replaced.
  one('x-forwarded-for', '127.0.0.1');
  one('x-real-ip', '127.0.0.1');
  one('x-forwarded-proto', 'http');
  one('x-forwarded-host', 'chat.example.com:8080');
  one('x-forwarded-port', String(fairlead.port));
  for (const name of ['x-drop', 'keep-alive', 'proxy-connection', 'te'])
    assert.deepEqual(request.all(name), [], name);
  for (const name of [
    'Sec-WebSocket-Key',
    'Sec-WebSocket-Version',
    'Sec-WebSocket-Protocol',
    'Sec-WebSocket-Extensions',
  ]) {
    assert.ok(request.hasExact(name), `${name} in its canonical case`);
  }
  one('sec-websocket-key', key);
  one('sec-websocket-version', '13');
  one('sec-websocket-protocol', 'a, b');
  one('sec-websocket-extensions', 'permessage-deflate; client_max_window_bits');
});

scenario(
  'a request id is kept, or made, and is the same for the backend and the log',
  async (rig) => {
    const { backend, fairlead } = await rig.pair();
    const kept = await rig.session(fairlead, backend, {
      handshake: { fields: { 'X-Request-Id': 'req-42' } },
    });
    assert.equal(kept.request.get('x-request-id'), 'req-42');
    await fairlead.waitForLog((entry) => entry.event === 'open' && entry.request_id === 'req-42');

    const made = await rig.session(fairlead, backend);
    const id = made.request.get('x-request-id');
    assert.ok(id?.length >= 16, `a request id is made: ${id}`);
    await fairlead.waitForLog((entry) => entry.event === 'open' && entry.request_id === id);

    const answer = await refused(
      rig,
      fairlead,
      handshakeHead({ fields: { Origin: 'https://evil.example', 'X-Request-Id': 'req-43' } }),
      403,
      'origin_denied',
    );
    assert.equal(answer.head.get('x-request-id'), 'req-43');
  },
);

scenario("a trusted peer's X-Forwarded fields are believed and appended to", async (rig) => {
  const { backend, fairlead } = await rig.pair({ listener: 'trusted_proxies = ["127.0.0.0/8"]' });
  const { request } = await rig.session(fairlead, backend, {
    handshake: { fields: { 'X-Forwarded-For': '203.0.113.9', 'X-Forwarded-Proto': 'https' } },
  });
  assert.deepEqual(request.all('x-forwarded-for').join(', '), '203.0.113.9, 127.0.0.1');
  assert.equal(request.get('x-forwarded-proto'), 'https');
  assert.equal(request.get('x-real-ip'), '203.0.113.9');
  const entry = await fairlead.waitForLog((one) => one.event === 'open');
  assert.equal(entry.client_ip, '203.0.113.9');
});

scenario('over TLS the backend learns that it was https', async (rig) => {
  const { backend, fairlead } = await rig.pair({ tls: rig.certificate().toml });
  const { request } = await rig.session(fairlead, backend, {
    connect: { tlsOptions: { servername: 'chat.example.com' } },
  });
  assert.equal(request.get('x-forwarded-proto'), 'https');
});

scenario("strip_prefix hides the route's path from the backend", async (rig) => {
  const { backend, fairlead } = await rig.pair({ route: 'path = "/app"\nstrip_prefix = true' });
  for (const [path, seen] of [
    ['/app/chat?x=1', '/chat?x=1'],
    ['/app', '/'],
    ['/app/', '/'],
  ]) {
    const { request, client } = await rig.session(fairlead, backend, { handshake: { path } });
    assert.equal(request.target, seen);
    client.destroy();
  }
});

scenario('any other Upgrade is hop-by-hop: stripped, and the request plain', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const client = await rig.connect(fairlead);
  client.send(
    get('/', [
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
    ]),
  );
  const server = await backend.accept();
  const request = await server.readHead();
  assert.deepEqual([request.all('upgrade'), request.all('http2-settings')], [[], []]);
  server.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  assert.equal((await client.readAnswer()).body, 'ok');
});

scenario("a subprotocol routes, and the backend's choice comes back", async (rig) => {
  const special = await rig.backend();
  const { backend, fairlead } = await rig.pair({
    more: `
[[route]]
name = "graphql"
subprotocols = ["graphql-transport-ws"]
backend = "graphql"
[[backend]]
name = "graphql"
servers = ["${special.address}"]
`,
  });
  const { head } = await rig.session(fairlead, special, {
    handshake: { protocol: 'other, graphql-transport-ws' },
    answer: { fields: { 'Sec-WebSocket-Protocol': 'graphql-transport-ws' } },
  });
  assert.equal(head.get('sec-websocket-protocol'), 'graphql-transport-ws');
  const entry = await fairlead.waitForLog((one) => one.event === 'open');
  assert.deepEqual([entry.route, entry.subprotocol], ['graphql', 'graphql-transport-ws']);
  await rig.session(fairlead, backend, { handshake: { protocol: 'other' } });
});

// What comes here goes to `aim.port`; counts how often.
async function detour(rig, aim) {
  const sockets = new Set();
  const server = net.createServer((from) => {
    aim.count = (aim.count ?? 0) + 1;
    const to = net.connect(aim.port, '127.0.0.1');
    for (const [one, other] of [
      [from, to],
      [to, from],
    ]) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.pipe(other);
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  rig.defer(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `127.0.0.1:${server.address().port}`;
}

scenario('a request that comes back to Fairlead ends with its second pass', async (rig) => {
  const aim = {};
  const fairlead = await rig.run({ servers: [await detour(rig, aim)] });
  aim.port = fairlead.port;
  await refused(rig, fairlead, get('/'), 508, 'loop_detected');
  assert.equal(aim.count, 1);
  await refused(rig, fairlead, handshakeHead(), 508, 'loop_detected');
  assert.equal(aim.count, 2);
  await fairlead.until(
    () => fairlead.log.filter((line) => line.reason === 'loop_detected').length === 2,
    'a line for each loop',
  );
});

scenario('two Fairleads one behind the other are no loop', async (rig) => {
  const { backend, fairlead: inner } = await rig.pair();
  const outer = await rig.run({ servers: [`127.0.0.1:${inner.port}`] });
  const client = await rig.connect(outer);
  client.send(handshakeHead());
  const server = await backend.accept();
  const head = await server.acceptUpgrade();
  assert.match(head.get('fairlead-via'), /^[0-9a-f]{16}, [0-9a-f]{16}$/);
  assert.equal((await client.readHead()).status, 101);
  client.sendText('through both');
  await server.expectText('through both');
});
