// The opening handshake and what Fairlead itself answers to it: the table of the manual, row by row,
// with raw bytes. Nothing here reaches a backend that ought not to.

import assert from 'node:assert/strict';
import { handshakeHead, makeKey } from './lib/frames.js';
import { agreeing, get, refused, statusOf } from './lib/requests.js';
import { scenario } from './lib/rig.js';

const kMalformed = {
  'Content-Length and Transfer-Encoding':
    get('/', ['Content-Length: 4', 'Transfer-Encoding: chunked']) + 'abcd',
  'Transfer-Encoding and Content-Length':
    get('/', ['Transfer-Encoding: chunked', 'Content-Length: 4']) + '0\r\n\r\n',
  'two different Content-Length': get('/', ['Content-Length: 0', 'Content-Length: 5']),
  'two equal Content-Length': get('/', ['Content-Length: 5', 'Content-Length: 5']),
  'a negative Content-Length': get('/', ['Content-Length: -1']),
  'a Content-Length with a sign': get('/', ['Content-Length: +1']),
  'a hexadecimal Content-Length': get('/', ['Content-Length: 0x10']),
  'a folded line': get('/', ['X-Long: a', ' b']),
  'a line folded with a tab': get('/', ['X-Long: a', '\tb']),
  'a bare LF after a field': 'GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n',
  'bare LF everywhere': 'GET / HTTP/1.1\nHost: a\n\n',
  'a bare CR in a value': get('/', ['X: a\rb']),
  'NUL in a value': get('/', ['X: a\0b']),
  'NUL in a name': get('/', ['X\0Y: a']),
  'NUL in the target': get('/a\0b'),
  'a space before the colon': get('/', ['X-Name : a']),
  "a space before Content-Length's colon": get('/', ['Content-Length : 4']),
  'a field without a name': get('/', [': a']),
  'a field without a colon': get('/', ['nonsense']),
  'a bracket in a name': get('/', ['X(y): a']),
  'a space before the first field': 'GET / HTTP/1.1\r\n Host: a\r\n\r\n',
  'two Host': get('/', ['Host: other.example.com']),
  'two equal Host': get('/', ['Host: chat.example.com']),
  'no Host': 'GET / HTTP/1.1\r\nX: y\r\n\r\n',
  'a target that is no path': get('chat'),
  'two spaces before the target': 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n',
  'a request line of one word': 'GET\r\nHost: a\r\n\r\n',
  'binary nonsense': Buffer.from([
    0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x0d, 0x0a, 0x0d, 0x0a,
  ]),
};

scenario(
  'what is malformed or smells of smuggling is answered 400, closed, and dials no backend',
  async (rig) => {
    const { backend, fairlead } = await rig.pair({ route: 'origins = ["any"]' });
    for (const [what, bytes] of Object.entries(kMalformed)) {
      await refused(rig, fairlead, bytes, 400, 'malformed_request', { close: true }).catch(
        (error) => {
          error.message = `${what}: ${error.message}`;
          throw error;
        },
      );
    }
    await fairlead.until(
      () =>
        fairlead.log.filter((entry) => entry.reason === 'malformed_request').length ===
        Object.keys(kMalformed).length,
      'a log line for each',
    );
    assert.equal(backend.dialled, 0);
  },
);

scenario('a second request hidden in a malformed one is never answered', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const client = await rig.connect(fairlead);
  client.send(
    `${get('/', ['Content-Length: 0', 'Transfer-Encoding: chunked'])}0\r\n\r\n${get('/smuggled')}`,
  );
  assert.equal((await client.readAnswer()).status, 400);
  await client.expectEnd();
  assert.equal(backend.dialled, 0);
});

scenario(
  'a Sec-WebSocket-Key that is missing, double or not 16 bytes of base64 is answered 400 and closed',
  async (rig) => {
    const { backend, fairlead } = await rig.pair();
    const base64 = (n) => Buffer.alloc(n, 7).toString('base64');
    const rows = {
      missing: { fields: { 'Sec-WebSocket-Key': null } },
      twice: { extra: [`Sec-WebSocket-Key: ${makeKey()}`] },
      empty: { key: '' },
      '15 bytes': { key: base64(15) },
      '17 bytes': { key: base64(17) },
      'not base64': { key: '!!!!!!!!!!!!!!!!!!!!!!==' },
      'without padding': { key: base64(16).slice(0, -2) },
      'two in one field': { key: `${makeKey()}, ${makeKey()}` },
    };
    for (const options of Object.values(rows)) {
      await refused(rig, fairlead, handshakeHead(options), 400, 'bad_websocket_key', {
        close: true,
      });
    }
    assert.equal(backend.dialled, 0);
  },
);

scenario(
  'a Sec-WebSocket-Version other than 13 is answered 426 with the right one',
  async (rig) => {
    const { backend, fairlead } = await rig.pair();
    for (const version of ['8', '0', '14', '013', 'x', '', null]) {
      const answer = await refused(
        rig,
        fairlead,
        handshakeHead({ fields: { 'Sec-WebSocket-Version': version } }),
        426,
        'bad_websocket_version',
      );
      assert.equal(answer.head.get('sec-websocket-version'), '13');
    }
    assert.equal(backend.dialled, 0);
  },
);

scenario('by default only the same origin, or no Origin at all, may connect', async (rig) => {
  const backend = await agreeing(rig);
  const fairlead = await rig.run({ servers: [backend.address] });
  const host = 'chat.example.com:8443';
  const of = (Origin) => statusOf(rig, fairlead, { host, fields: { Origin } });
  for (const origin of [
    'http://chat.example.com:8443',
    'https://chat.example.com:8443',
    'https://CHAT.example.com:8443',
    null,
  ]) {
    assert.equal(await of(origin), 101, `${origin}`);
  }
  const dialled = backend.dialled;
  for (const origin of [
    'https://evil.example',
    'https://chat.example.com',
    'https://chat.example.com:8444',
    'null',
    'https://chat.example.com:8443.evil.example',
    'https://xchat.example.com:8443',
    'https://chat.example.com:8443/',
    'file://',
  ]) {
    const answer = await refused(
      rig,
      fairlead,
      handshakeHead({ host, fields: { Origin: origin } }),
      403,
      'origin_denied',
    );
    assert.match(answer.head.get('content-type') ?? '', /^text\/plain/);
  }
  assert.equal(backend.dialled, dialled, 'no backend is dialled for a refused origin');
  const entry = await fairlead.waitForLog((one) => one.reason === 'origin_denied');
  assert.equal(entry.status, 403);
});

scenario("a route's origins may name hosts, subdomains and null", async (rig) => {
  const backend = await agreeing(rig);
  const fairlead = await rig.run({
    servers: [backend.address],
    route: 'origins = ["https://app.example.com", "https://*.example.org", "null"]',
  });
  const rows = [
    ['https://app.example.com', 101],
    ['https://app.example.com:443', 101],
    ['http://app.example.com', 403],
    ['https://app.example.com:444', 403],
    ['https://a.example.org', 101],
    ['https://a.b.example.org', 101],
    ['https://example.org', 403],
    ['https://evilexample.org', 403],
    ['https://a.example.org.evil.example', 403],
    ['null', 101],
    [null, 101],
    ['https://chat.example.com', 403],
  ];
  for (const [Origin, status] of rows)
    assert.equal(await statusOf(rig, fairlead, { fields: { Origin } }), status, `${Origin}`);
});

scenario(
  'require_origin refuses a handshake without an Origin, "any" lets every one pass',
  async (rig) => {
    const backend = await agreeing(rig);
    const fairlead = await rig.run({
      servers: [backend.address],
      route: 'origins = ["any"]\nrequire_origin = true',
    });
    assert.equal(
      await statusOf(rig, fairlead, { fields: { Origin: 'https://anyone.example' } }),
      101,
    );
    await refused(rig, fairlead, handshakeHead(), 403, 'origin_denied');
  },
);

scenario('what no route takes is answered 404', async (rig) => {
  const backend = await agreeing(rig);
  const fairlead = await rig.run({
    servers: [backend.address],
    route: 'hosts = ["chat.example.com"]\npath = "/chat"\nkind = "websocket"',
  });
  assert.equal(await statusOf(rig, fairlead, { path: '/chat' }), 101);
  assert.equal(
    await statusOf(rig, fairlead, { path: '/chat/room?x=1', host: 'CHAT.example.com:80' }),
    101,
  );
  const dialled = backend.dialled;
  await refused(rig, fairlead, handshakeHead({ path: '/chatter' }), 404, 'no_route');
  await refused(rig, fairlead, handshakeHead({ path: '/' }), 404, 'no_route');
  await refused(
    rig,
    fairlead,
    handshakeHead({ path: '/chat', host: 'other.example.com' }),
    404,
    'no_route',
  );
  await refused(rig, fairlead, get('/chat'), 404, 'no_route');
  assert.equal(backend.dialled, dialled);
});

scenario('own answers are JSON for a client that accepts it', async (rig) => {
  const { fairlead } = await rig.pair();
  const answer = await refused(
    rig,
    fairlead,
    handshakeHead({ fields: { Origin: 'https://evil.example', Accept: 'application/json' } }),
    403,
    'origin_denied',
  );
  assert.match(answer.head.get('content-type'), /^application\/json/);
  assert.equal(typeof JSON.parse(answer.body), 'object');
});

scenario(
  'a head that is too large or has too many fields is answered 431 and closed',
  async (rig) => {
    const { backend, fairlead } = await rig.pair();
    await refused(rig, fairlead, get('/', [`X: ${'a'.repeat(17 * 1024)}`]), 431, 'head_too_large', {
      close: true,
    });
    await refused(rig, fairlead, get(`/${'a'.repeat(17 * 1024)}`), 431, 'head_too_large', {
      close: true,
    });
    await refused(
      rig,
      fairlead,
      get(
        '/',
        Array.from({ length: 101 }, (_, i) => `X-${i}: a`),
      ),
      431,
      'too_many_headers',
      { close: true },
    );
    assert.equal(backend.dialled, 0);
  },
);

scenario('a head just within the bounds passes', async (rig) => {
  const backend = await agreeing(rig);
  const fairlead = await rig.run({ servers: [backend.address] });
  assert.equal(await statusOf(rig, fairlead, { fields: { 'X-Long': 'a'.repeat(15 * 1024) } }), 101);
  assert.equal(
    await statusOf(rig, fairlead, { extra: Array.from({ length: 95 }, (_, i) => `X-${i}: a`) }),
    101,
  );
});

scenario(
  'an unknown transfer coding is answered 501, an unknown version 505, and closed',
  async (rig) => {
    const { backend, fairlead } = await rig.pair();
    await refused(
      rig,
      fairlead,
      get('/', ['Transfer-Encoding: gzip']),
      501,
      'unsupported_transfer_coding',
      { close: true },
    );
    await refused(
      rig,
      fairlead,
      'GET / HTTP/2.0\r\nHost: a\r\n\r\n',
      505,
      'unsupported_http_version',
      { close: true },
    );
    await refused(
      rig,
      fairlead,
      'GET / HTTP/9.9\r\nHost: a\r\n\r\n',
      505,
      'unsupported_http_version',
      { close: true },
    );
    await refused(
      rig,
      fairlead,
      `${'M'.repeat(10_000)} / HTTP/1.1\r\nHost: a\r\n\r\n`,
      501,
      'unsupported_method',
      { close: true },
    );
    assert.equal(backend.dialled, 0);
  },
);
