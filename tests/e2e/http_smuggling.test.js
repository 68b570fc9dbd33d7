// Request smuggling: each trick with what reached the server, which is nothing, or exactly one
// unambiguous request. And the same from the server's side.

import assert from 'node:assert/strict';
import { get, ok, post, readRequest } from './lib/plain.js';
import { scenario } from './lib/rig.js';

const kHidden = 'GET /hidden HTTP/1.1\r\nHost: chat.example.com\r\n\r\n';
const kOne = { server: 'workers = 1' };

// A backend that keeps every byte it gets, and answers what looks like a request.
async function witness(rig, settings = {}) {
  const seen = [];
  const backend = await rig.backend({
    onPeer: async (peer) => {
      const bytes = { text: '' };
      seen.push(bytes);
      peer.socket.on('data', (data) => (bytes.text += data.toString('latin1')));
      for (;;) {
        const request = await readRequest(peer).catch(() => null);
        if (!request) return;
        peer.send(ok(request.head.target));
      }
    },
  });
  const fairlead = await rig.run({ servers: [backend.address], ...kOne, ...settings });
  return { backend, fairlead, all: () => seen.map((one) => one.text).join('') };
}

const raw = (lines, body = '') => `${lines.join('\r\n')}\r\n\r\n${body}`;
const head = (...lines) => ['POST /x HTTP/1.1', 'Host: chat.example.com', ...lines];

// Name, bytes. All of them get 400 (or what is given) and nothing reaches the server.
const kNothing = [
  ['CL and TE', raw(head('Content-Length: 5', 'Transfer-Encoding: chunked'), '0\r\n\r\n')],
  ['TE and CL', raw(head('Transfer-Encoding: chunked', 'Content-Length: 5'), '0\r\n\r\n')],
  ['two CL', raw(head('Content-Length: 5', 'Content-Length: 6'), 'hello!')],
  ['two CL that agree', raw(head('Content-Length: 5', 'Content-Length: 5'), 'hello')],
  ['a list of CL', raw(head('Content-Length: 5, 5'), 'hello')],
  ['CL with a sign', raw(head('Content-Length: +5'), 'hello')],
  ['a negative CL', raw(head('Content-Length: -5'), 'hello')],
  ['a hexadecimal CL', raw(head('Content-Length: 0x5'), 'hello')],
  ['CL with a blank inside', raw(head('Content-Length: 1 0'), 'hello')],
  ['CL with a fraction', raw(head('Content-Length: 5.0'), 'hello')],
  ['an empty CL', raw(head('Content-Length:'), 'hello')],
  ['CL beyond 64 bits', raw(head('Content-Length: 18446744073709551621'), 'hello')],
  ['CL with an underscore', raw(head('Content_Length: 5'), 'hello')],
  ['space before the colon of CL', raw(head('Content-Length : 5'), 'hello')],
  ['space before the colon of TE', raw(head('Transfer-Encoding : chunked'), '0\r\n\r\n')],
  ['tab before the colon of TE', raw(head('Transfer-Encoding\t: chunked'), '0\r\n\r\n')],
  ['TE folded', raw(head('Transfer-Encoding:', ' chunked'), '0\r\n\r\n')],
  ['a folded line in front of TE', raw(head('X: y', ' Transfer-Encoding: chunked'), '0\r\n\r\n')],
  ['TE with an underscore', raw(head('Transfer_Encoding: chunked'), '0\r\n\r\n')],
  ['TE twice', raw(head('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'), '0\r\n\r\n')],
  ['TE identity and chunked', raw(head('Transfer-Encoding: identity', 'Transfer-Encoding: chunked'), '0\r\n\r\n')],
  ['chunked twice', raw(head('Transfer-Encoding: chunked, chunked'), '0\r\n\r\n')],
  ['chunked first', raw(head('Transfer-Encoding: chunked, identity'), '0\r\n\r\n')],
  ['TE in quotes', raw(head('Transfer-Encoding: "chunked"'), '0\r\n\r\n')],
  ['TE with a vertical tab', raw(head('Transfer-Encoding: \x0bchunked'), '0\r\n\r\n')],
  ['TE with a NUL', raw(head('Transfer-Encoding: chunked\0'), '0\r\n\r\n')],
  ['TE behind a bare CR', raw(head('X: y\rTransfer-Encoding: chunked'), '0\r\n\r\n')],
  ['TE behind a bare LF', raw(head('X: y\nTransfer-Encoding: chunked'), '0\r\n\r\n')],
  ['a bare LF as the empty line', 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\nGET /'],
  ['TE in HTTP/1.0', raw(['POST /x HTTP/1.0', 'Transfer-Encoding: chunked'], '0\r\n\r\n')],
  ['another coding', raw(head('Transfer-Encoding: gzip'), 'x'), 501],
  ['x-chunked', raw(head('Transfer-Encoding: xchunked'), 'x'), 501],
  ['identity', raw(head('Transfer-Encoding: identity'), 'x'), 501],
  ['two Host', raw(['GET /x HTTP/1.1', 'Host: chat.example.com', 'Host: evil.example.com'])],
  ['no Host', raw(['GET /x HTTP/1.1', 'A: b'])],
  ['a list in Host', raw(['GET /x HTTP/1.1', 'Host: chat.example.com, evil.example.com'])],
  ['a path in Host', raw(['GET /x HTTP/1.1', 'Host: chat.example.com/evil'])],
  ['user info in Host', raw(['GET /x HTTP/1.1', 'Host: evil@chat.example.com'])],
  ['absolute-form of another host', raw(['GET http://evil.example.com/x HTTP/1.1', 'Host: chat.example.com'])],
  ['absolute-form of another port', raw(['GET http://chat.example.com:81/x HTTP/1.1', 'Host: chat.example.com'])],
  ['absolute-form with user info', raw(['GET http://a@chat.example.com/x HTTP/1.1', 'Host: chat.example.com'])],
  ['CONNECT', raw(['CONNECT chat.example.com:443 HTTP/1.1', 'Host: chat.example.com:443'])],
  ['a space in the target', raw(['GET /x y HTTP/1.1', 'Host: a'])],
  ['an empty method', raw([' /x HTTP/1.1', 'Host: a'])],
  ['HTTP/0.9', 'GET /x\r\n\r\n'],
  ['HTTP/2 in words', raw(['GET /x HTTP/2.0', 'Host: a']), 505],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
];

const kChunks = {
  'a sign': '+5\r\nhello\r\n0\r\n\r\n',
  'minus': '-5\r\nhello\r\n0\r\n\r\n',
  '0x': '0x5\r\nhello\r\n0\r\n\r\n',
  'a space behind the size': '5 \r\nhello\r\n0\r\n\r\n',
  'a space before the size': ' 5\r\nhello\r\n0\r\n\r\n',
  'a space before an extension': '5 ;x\r\nhello\r\n0\r\n\r\n',
  'a size beyond 64 bits': '10000000000000005\r\nhello\r\n0\r\n\r\n',
  'a size of -1': 'ffffffffffffffff\r\nhello\r\n0\r\n\r\n',
  'no size': '\r\nhello\r\n0\r\n\r\n',
  'bare LF behind the size': '5\nhello\r\n0\r\n\r\n',
  'bare CR behind the size': '5\rhello\r\n0\r\n\r\n',
  'bare LF in an extension': '5;x\nhello\r\n0\r\n\r\n',
  'an endless extension': `5;${'x'.repeat(1000)}\r\nhello\r\n0\r\n\r\n`,
  'data longer than said': `3\r\nhello\r\n0\r\n\r\n`,
  'data shorter than said': `6\r\nhello\r\n0\r\n\r\n`,
  'bare LF behind data': '5\r\nhello\n0\r\n\r\n',
  'bare LF at the end': '5\r\nhello\r\n0\r\n\n',
  'a request behind the last size': `0\r\n${kHidden}`,
  'CL in the trailers': '0\r\nContent-Length: 5\r\n\r\n',
  'TE in the trailers': '0\r\nTransfer-Encoding: chunked\r\n\r\n',
  'a disguise in the trailers': '0\r\ncontent_length: 5\r\n\r\n',
  'Host in the trailers': '0\r\nHost: evil\r\n\r\n',
  'Authorization in the trailers': '0\r\nAuthorization: Basic eDp5\r\n\r\n',
  'X-Forwarded-For in the trailers': '0\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n',
  'a folded trailer': '0\r\nX: y\r\n Content-Length: 5\r\n\r\n',
};

scenario('what can be read in two ways reaches no server', async (rig) => {
  const { backend, fairlead } = await witness(rig);
  for (const [name, bytes, status = 400] of kNothing) {
    const client = await rig.connect(fairlead);
    client.send(Buffer.from(bytes + kHidden, 'latin1'));
    const answer = await client.readAnswer();
    assert.equal(answer.status, status, name);
    await client.expectEnd();
    client.destroy();
  }
  assert.equal(backend.dialled, 0);
});

scenario('a body in bad chunks reaches no server', async (rig) => {
  const { backend, fairlead } = await witness(rig);
  for (const [name, body] of Object.entries(kChunks)) {
    const client = await rig.connect(fairlead);
    client.send(raw(head('Transfer-Encoding: chunked'), body) + kHidden);
    assert.equal((await client.readAnswer()).status, 400, name);
    await client.expectEnd();
    client.destroy();
  }
  assert.equal(backend.dialled, 0);
});

scenario('one that turns bad later reaches it without an end, and nothing follows', async (rig) => {
  const { backend, fairlead } = await rig.pair(kOne);
  for (const [name, bad] of Object.entries(kChunks)) {
    const client = await rig.connect(fairlead);
    client.send(raw(head('Transfer-Encoding: chunked'), '2\r\nok\r\n'));
    const server = await backend.accept();
    await server.readHead();
    await server.until(() => server.buffer.includes('ok'), 'the good chunk');
    client.send(bad + kHidden);
    assert.equal((await client.readAnswer()).status, 400, name);
    await client.expectEnd();
    const got = (await server.readAll()).toString();
    assert.ok(!/(^|\r\n)0\r\n/.test(got) && !got.includes('/hidden'), `${name}: ${got}`);
    client.destroy();
    server.destroy();
  }
});

scenario('a request in a body is a body', async (rig) => {
  const { fairlead, all } = await witness(rig);
  const client = await rig.connect(fairlead);
  assert.equal((await client.request(post('/1', kHidden))).body, '/1');
  const size = kHidden.length.toString(16);
  const chunks = `${size}\r\n${kHidden}\r\n0\r\n\r\n`;
  assert.equal((await client.request(raw(head('Transfer-Encoding: chunked'), chunks))).body, '/x');
  const body = get('/3', [`Content-Length: ${kHidden.length}`]) + kHidden;
  assert.equal((await client.request(body)).body, '/3', 'a GET may have a body');
  assert.equal((await client.request(get('/4'))).body, '/4');
  const targets = [...all().matchAll(/^(?:GET|POST) (\S+) /gm)].map((match) => match[1]);
  assert.deepEqual(targets, ['/1', '/hidden', '/x', '/hidden', '/3', '/hidden', '/4']);
});

scenario('what is forwarded is written anew: one framing, one Host', async (rig) => {
  const cases = [
    [raw(head('content-length:\t005 '), 'hello'), /\r\nContent-Length: 5\r\n/],
    [raw(head('transfer-encoding: Chunked'), '5;a="b;c"\r\nhello\r\n0;x\r\n\r\n'), /\r\nTransfer-Encoding: chunked\r\n/],
    [raw(head('Connection: Content-Length, Host', 'Content-Length: 5'), 'hello'), /\r\nContent-Length: 5\r\n/],
    [raw(head('Connection: Transfer-Encoding', 'Transfer-Encoding: chunked'), '5\r\nhello\r\n0\r\n\r\n'), /\r\nTransfer-Encoding: chunked\r\n/],
    [raw(['POST http://chat.example.com/x HTTP/1.1', 'Host: CHAT.example.com', 'Content-Length: 5'], 'hello'), /^POST \/x HTTP\/1.1\r\n/],
  ];
  for (const [bytes, want] of cases) {
    const { fairlead, all } = await witness(rig);
    const client = await rig.connect(fairlead);
    assert.equal((await client.request(bytes)).body, '/x');
    const text = all();
    assert.match(text, want);
    assert.equal([...text.matchAll(/^(content-length|transfer-encoding):/gim)].length, 1, text);
    assert.equal([...text.matchAll(/^host: chat.example.com/gim)].length, 1, text);
    assert.ok(!text.includes(';'), text);
    client.destroy();
  }
});

scenario('h2c and other upgrades are no upgrades', async (rig) => {
  for (const upgrade of ['h2c', 'TLS/1.0', 'websocket, h2c-x']) {
    const { fairlead, all } = await witness(rig);
    const client = await rig.connect(fairlead);
    const lines = [`Upgrade: ${upgrade}`, 'Connection: Upgrade, HTTP2-Settings', 'HTTP2-Settings: AAMAAABkAAQAAP__'];
    if (upgrade.startsWith('websocket')) lines[1] = 'Connection: HTTP2-Settings';
    client.send(get('/x', lines) + 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    assert.equal((await client.readAnswer()).body, '/x');
    assert.equal((await client.readAnswer()).status, 505);
    await client.expectEnd();
    assert.ok(!/upgrade|http2-settings|PRI/i.test(all()), all());
  }
});

scenario('a 101 nobody asked for is no answer', async (rig) => {
  const { backend, fairlead } = await rig.pair(kOne);
  const client = await rig.connect(fairlead);
  client.send(get('/x', ['Upgrade: h2c', 'Connection: Upgrade']));
  const server = await backend.accept();
  await server.readHead();
  server.send('HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n');
  assert.equal((await client.readAnswer()).status, 502);
  await server.expectEnd();
});

scenario('bytes behind a handshake that failed go nowhere', async (rig) => {
  const { backend, fairlead } = await rig.pair(kOne);
  for (const late of [false, true]) {
    const client = await rig.connect(fairlead);
    const upgrade = raw([
      'GET /x HTTP/1.1', 'Host: chat.example.com', 'Upgrade: websocket', 'Connection: Upgrade',
      'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ]);
    client.send(late ? upgrade : upgrade + kHidden);
    const server = await backend.accept();
    await server.readHead();
    if (late) client.send(kHidden);
    server.send('HTTP/1.1 426 No\r\nContent-Length: 4\r\n\r\n');
    assert.equal((await client.readHead()).status, 426);
    server.send('nope');
    assert.equal((await client.read(4)).toString(), 'nope');
    await client.expectEnd();
    await server.expectEnd();
    client.destroy();
  }
  assert.equal(backend.dialled, 2);
});

scenario('the refusal of a handshake does not make what follows it a request', async (rig) => {
  const { backend, fairlead } = await witness(rig);
  const client = await rig.connect(fairlead);
  client.send(
    raw([
      'GET /x HTTP/1.1', 'Host: chat.example.com', 'Upgrade: websocket', 'Connection: Upgrade',
      'Origin: https://evil.example.com', 'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ]) + kHidden,
  );
  assert.equal((await client.readAnswer()).status, 403);
  await client.expectEnd();
  assert.equal(backend.dialled, 0);
});

scenario('a refused request with a body ends its connection', async (rig) => {
  const { backend, fairlead } = await witness(rig, { route: 'path = "/app"' });
  for (const bytes of [post('/x', kHidden), raw(head('Transfer-Encoding: chunked'), '0\r\n\r\n')]) {
    const client = await rig.connect(fairlead);
    client.send(bytes + kHidden);
    assert.equal((await client.readAnswer()).status, 404);
    await client.expectEnd();
  }
  assert.equal(backend.dialled, 0);
});

// --- from the server's side ---

const kBadAnswers = {
  'CL and TE': 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'two CL': 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!',
  'CL with a sign': 'HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello',
  'CL behind a blank': 'HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello',
  'another coding': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
  'CL and TE for 204': 'HTTP/1.1 204 No\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
  'a folded field': 'HTTP/1.1 200 OK\r\nX: y\r\n Content-Length: 5\r\n\r\nhello',
  'a bare CR': 'HTTP/1.1 200 OK\r\nX: a\rContent-Length: 0\r\n\r\n',
  'a bad chunk at once': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n',
  'no HTTP at all': 'SSH-2.0-OpenSSH_9.2\r\n\r\n',
};

scenario('an answer that can be read in two ways is none', async (rig) => {
  const { backend, fairlead } = await rig.pair(kOne);
  const client = await rig.connect(fairlead);
  for (const [name, bytes] of Object.entries(kBadAnswers)) {
    client.send(get('/x'));
    const server = await backend.accept();
    await server.readHead();
    server.send(bytes + ok('poison'));
    const answer = await client.readAnswer();
    assert.equal(answer.status, 502, name);
    assert.ok(answer.body.includes('backend_bad_answer'), name);
    await server.expectEnd();
  }
});

scenario('an answer that has no body ends with its head, and what follows is nobody\'s', async (rig) => {
  const { backend, fairlead } = await rig.pair(kOne);
  const client = await rig.connect(fairlead);
  for (const bytes of [
    'HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\nhello',
    'HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 304 No\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  ]) {
    client.send(get('/x'));
    const server = await backend.accept();
    await server.readHead();
    server.send(bytes + ok('poison'));
    const head = await client.readHead();
    assert.ok(head.status === 204 || head.status === 304, bytes);
    assert.equal(head.get('transfer-encoding'), undefined, bytes);
    await server.expectEnd();
    assert.equal(client.buffer.length, 0, bytes);
  }
});

scenario('an answer that turns bad is cut off, and its connection not used again', async (rig) => {
  const { backend, fairlead } = await rig.pair(kOne);
  for (const bad of [' 5\r\nhello\r\n', '-1\r\n', '0\r\nContent-Length: 5\r\n\r\n']) {
    const client = await rig.connect(fairlead);
    client.send(get('/x') + get('/y'));
    const server = await backend.accept();
    await server.readHead();
    server.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n');
    await client.until(() => client.buffer.includes('ok'), 'the good chunk');
    server.send(bad + ok('poison'));
    const bytes = (await client.readAll()).toString();
    assert.ok(!/\r\n0\r\n/.test(bytes) && !bytes.includes('poison'), bytes);
    await server.expectEnd();
    const entry = await fairlead.waitForLog((one) => one.event === 'http');
    assert.equal(entry.reason, 'backend_bad_answer');
  }
  assert.equal(backend.dialled, 3);
});
