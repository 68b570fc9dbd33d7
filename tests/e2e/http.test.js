// Plain HTTP through a listener: answers streamed, keep-alive towards the client, pipelining.

import assert from 'node:assert/strict';
import { get, http } from './lib/plain.js';
import { scenario } from './lib/rig.js';

scenario('several GETs on one connection, each answered', async (rig) => {
  const backend = await http(rig);
  const fairlead = await rig.run({ servers: [backend.address] });
  const client = await rig.connect(fairlead);
  for (const target of ['/one', '/two?x=1', '/three']) {
    const answer = await client.request(get(target));
    assert.deepEqual([answer.status, answer.body], [200, target]);
  }
  await fairlead.until(
    () => fairlead.log.filter((entry) => entry.event === 'http').length === 3,
    'three lines',
  );
});

scenario('pipelined GETs are answered in their order', async (rig) => {
  const backend = await http(rig);
  const fairlead = await rig.run({ servers: [backend.address] });
  const client = await rig.connect(fairlead);
  const targets = ['/1', '/2', '/3', '/4'];
  client.send(targets.map((one) => get(one)).join(''));
  for (const target of targets) assert.equal((await client.readAnswer()).body, target);
});

scenario(
  'a refused request does not cost the next one on the connection its answer',
  async (rig) => {
    const backend = await http(rig);
    const fairlead = await rig.run({ servers: [backend.address], route: 'path = "/app"' });
    const client = await rig.connect(fairlead);
    assert.equal((await client.request(get('/elsewhere'))).status, 404);
    assert.equal((await client.request(get('/app/x'))).body, '/app/x');
  },
);

scenario('Connection: close is honoured, and HTTP/1.0 closes by itself', async (rig) => {
  const backend = await http(rig);
  const fairlead = await rig.run({ servers: [backend.address] });
  const closing = await rig.connect(fairlead);
  assert.equal((await closing.request(get('/x', ['Connection: close']))).body, '/x');
  await closing.expectEnd();
  const old = await rig.connect(fairlead);
  assert.equal((await old.request('GET /y HTTP/1.0\r\nHost: chat.example.com\r\n\r\n')).body, '/y');
  await old.expectEnd();
});

scenario('bodies pass in each of their codings, and none for HEAD, 204 and 304', async (rig) => {
  const big = 'x'.repeat(300_000);
  const answers = {
    '/length': `HTTP/1.1 200 OK\r\nContent-Length: ${big.length}\r\n\r\n${big}`,
    '/chunked': `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n${big.length.toString(16)}\r\n${big}\r\n0\r\nX-Trailer: t\r\n\r\n`,
    '/close': `HTTP/1.1 200 OK\r\n\r\n${big}`,
    '/empty': 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    '/204': 'HTTP/1.1 204 No Content\r\n\r\n',
    '/304': 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 100\r\n\r\n',
  };
  const backend = await http(rig, answers);
  const fairlead = await rig.run({ servers: [backend.address] });
  const want = {
    '/length': big,
    '/chunked': `hello${big}`,
    '/close': big,
    '/empty': '',
    '/204': '',
    '/304': '',
  };
  for (const [target, body] of Object.entries(want)) {
    const client = await rig.connect(fairlead);
    const answer = await client.request(get(target));
    assert.equal(answer.body.length, body.length, target);
    assert.equal(answer.body, body, target);
    client.destroy();
  }
  const head = await rig.connect(fairlead);
  answers['/head'] = 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nX-App: yes\r\n\r\n';
  const answer = await head.request(get('/head', [], 'HEAD'), 'HEAD');
  assert.deepEqual(
    [answer.status, answer.head.get('content-length'), answer.head.get('x-app')],
    [200, '1000', 'yes'],
  );
  assert.equal((await head.request(get('/after'))).body, '/after');
});

scenario('an answer is streamed: its first part arrives before its last is sent', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const client = await rig.connect(fairlead);
  client.send(get('/events'));
  const server = await backend.accept();
  await server.readHead();
  server.send(
    'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ndata 1\r\n',
  );
  assert.equal((await client.readHead()).status, 200);
  await client.until(() => client.buffer.includes('data 1'), 'the first event');
  server.send('6\r\ndata 2\r\n0\r\n\r\n');
  await client.until(() => client.buffer.includes('data 2'), 'the second event');
});

scenario('a backend that breaks off an answer leaves it visibly cut off', async (rig) => {
  const backend = await http(rig, {
    '/length': 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf',
    '/chunked': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf',
  });
  const fairlead = await rig.run({ servers: [backend.address] });
  for (const target of ['/length', '/chunked']) {
    const client = await rig.connect(fairlead);
    client.send(get(target));
    const bytes = (await client.readAll()).toString();
    assert.ok(/half(\r\n)?$/.test(bytes), `no regular end is made up: ${bytes}`);
  }
});

scenario('a session follows plain requests on the same connection', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const client = await rig.connect(fairlead);
  client.send(get('/page'));
  const first = await backend.accept();
  await first.readHead();
  first.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage');
  first.end();
  assert.equal((await client.readAnswer()).body, 'page');
  const upgraded = client.upgrade();
  const server = await backend.accept();
  await server.acceptUpgrade();
  await upgraded;
  client.sendText('hello');
  await server.expectText('hello');
});

scenario('a client that has ended its direction gets its answer, over TLS too', async (rig) => {
  const backend = await rig.backend();
  for (const tls of [undefined, rig.certificate().toml]) {
    const fairlead = await rig.run({ servers: [backend.address], tls });
    const client = await rig.connect(fairlead, tls ? { tlsOptions: {} } : {});
    client.send(get('/x'));
    client.end();
    const server = await backend.accept();
    await server.readHead();
    server.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    const answer = await client.readAnswer();
    assert.equal(answer.body, 'ok');
    assert.equal(answer.head.get('connection'), 'close');
    await client.expectEnd();
    await fairlead.waitForLog((entry) => entry.reason === 'done' && entry.status === 200);
  }
});
