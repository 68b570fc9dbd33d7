// Connections to servers that are used again: which may be, how long they wait, and what happens when
// the server has given one up.

import assert from 'node:assert/strict';
import { get, keeping, ok, post, readRequest } from './lib/plain.js';
import { scenario } from './lib/rig.js';

// One worker: what one request left open is there for the next.
const kOne = { server: 'workers = 1' };

const one = async (rig, settings) => {
  const { backend, fairlead } = await rig.pair({ ...kOne, ...settings });
  return { backend, fairlead, client: await rig.connect(fairlead) };
};

scenario('a connection to a server serves request after request, of any client', async (rig) => {
  const backend = await keeping(rig);
  const fairlead = await rig.run({ servers: [backend.address], ...kOne });
  for (let i = 0; i < 3; ++i) {
    const client = await rig.connect(fairlead);
    for (const target of ['/1', '/2', '/3'])
      assert.equal((await client.request(get(target))).body, target);
    assert.equal((await client.request(post('/', 'body'))).body, 'body');
  }
  assert.equal(backend.dialled, 1);
  assert.equal(backend.requests.length, 12);
});

scenario('an answer that says close, or ends with its connection, is the last on it', async (rig) => {
  const answers = [
    ok('a', ['Connection: close']),
    'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nb',
    ok('c', ['Keep-Alive: timeout=0']),
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nd\r\n0\r\n\r\n',
    ok('e'),
  ];
  const backend = await keeping(rig, () => answers[backend.requests.length - 1]);
  const fairlead = await rig.run({ servers: [backend.address], ...kOne });
  const client = await rig.connect(fairlead);
  for (const body of 'abcde') assert.equal((await client.request(get('/'))).body, body);
  assert.equal(backend.dialled, 4);
});

scenario("an idle connection is closed before the server's time is up", async (rig) => {
  const { backend, client } = await one(rig);
  client.send(get('/'));
  const server = await backend.accept();
  await server.readHead();
  const began = Date.now();
  server.send(ok('x', ['Keep-Alive: timeout=2, max=100']));
  await client.readAnswer();
  await server.expectEnd();
  const took = Date.now() - began;
  assert.ok(took > 700 && took < 1900, `${took} ms`);
});

scenario('what a server says unasked is no answer', async (rig) => {
  const { backend, client } = await one(rig);
  client.send(get('/1'));
  const first = await backend.accept();
  await first.readHead();
  first.send(ok('1'));
  assert.equal((await client.readAnswer()).body, '1');
  first.send(ok('poison'));
  await first.expectEnd();
  client.send(get('/2'));
  const second = await backend.accept();
  await second.readHead();
  second.send(ok('2'));
  assert.equal((await client.readAnswer()).body, '2');
});

scenario('bytes behind an answer end its connection', async (rig) => {
  const { backend, client } = await one(rig);
  for (const target of ['/1', '/2']) {
    client.send(get(target));
    const server = await backend.accept();
    assert.equal((await server.readHead()).target, target);
    server.send(ok(target) + ok('poison'));
    assert.equal((await client.readAnswer()).body, target);
    await server.expectEnd();
  }
});

// A server that takes the second request on a connection and closes without a word.
async function stale(rig) {
  const { backend, fairlead, client } = await one(rig);
  client.send(get('/first'));
  const server = await backend.accept();
  await server.readHead();
  server.send(ok('1'));
  await client.readAnswer();
  return { backend, fairlead, client, server };
}

scenario('a request that may be repeated is, when an idle connection was given up', async (rig) => {
  for (const method of ['GET', 'DELETE', 'PUT']) {
    const { backend, client, server } = await stale(rig);
    client.send(get('/second', [], method));
    await server.readHead();
    server.end();
    const fresh = await backend.accept();
    const head = await fresh.readHead();
    assert.deepEqual([head.method, head.target], [method, '/second']);
    fresh.send(ok('2'));
    assert.equal((await client.readAnswer()).body, '2');
    assert.equal(backend.dialled, 2);
  }
});

scenario('a POST, or a body that has begun, or an answer that has, is not sent twice', async (rig) => {
  const cases = [
    { request: get('/second', [], 'POST') },
    { request: get('/second', ['Content-Length: 2'], 'PUT') + 'hi' },
    { request: get('/second'), begun: 'HTTP/1.1 2' },
  ];
  for (const { request, begun } of cases) {
    const { backend, client, server } = await stale(rig);
    client.send(request);
    await readRequest(server);
    if (begun) await server.send(begun);
    server.end();
    assert.equal((await client.readAnswer()).status, 502, request);
    assert.equal(backend.dialled, 2 - 1);
  }
});

scenario('a POST goes on a fresh connection when the idle one has ended', async (rig) => {
  const { backend, client, server } = await stale(rig);
  server.end();
  await server.expectEnd(); // seen by Fairlead
  client.send(get('/second', [], 'POST'));
  const fresh = await backend.accept();
  assert.equal((await fresh.readHead()).target, '/second');
  fresh.send(ok('2'));
  assert.equal((await client.readAnswer()).body, '2');
});

scenario('a fresh connection that ends without an answer is not tried again', async (rig) => {
  const { backend, client } = await one(rig);
  client.send(get('/'));
  const server = await backend.accept();
  await server.readHead();
  server.end();
  assert.equal((await client.readAnswer()).status, 502);
  assert.equal(backend.dialled, 1);
});

scenario('a handshake gets a connection of its own, and a failed one is not used again', async (rig) => {
  const { backend, fairlead, client } = await stale(rig);
  const browser = await rig.connect(fairlead);
  const opened = browser.upgrade().catch((error) => error.message);
  const server = await backend.accept();
  await server.readHead();
  server.send('HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno');
  assert.match(await opened, /403/);
  await server.expectEnd();
  assert.equal(backend.dialled, 2);
  client.destroy();
});

scenario('an answer with a body for HEAD is cut at its head', async (rig) => {
  const { backend, client } = await one(rig);
  client.send(get('/', [], 'HEAD'));
  const server = await backend.accept();
  await server.readHead();
  server.send(ok('body'));
  const head = await client.readHead();
  assert.equal(head.get('content-length'), '4');
  await server.expectEnd();
  client.send(get('/next'));
  const next = await backend.accept();
  await next.readHead();
  next.send(ok('next'));
  assert.equal((await client.readAnswer()).body, 'next');
});

scenario('pipelined requests with bodies are answered in their order', async (rig) => {
  const backend = await keeping(rig, async (request) => {
    if (request.head.target === '/slow') await new Promise((resolve) => setTimeout(resolve, 200));
    return null;
  });
  const fairlead = await rig.run({ servers: [backend.address], ...kOne });
  const client = await rig.connect(fairlead);
  const bodies = ['one', 'two', 'three', 'four'];
  client.send(
    get('/slow') + bodies.map((body, i) => post(`/${i}`, body)).join('') + get('/last'),
  );
  assert.equal((await client.readAnswer()).body, '/slow');
  for (const body of bodies) assert.equal((await client.readAnswer()).body, body);
  assert.equal((await client.readAnswer()).body, '/last');
  assert.equal(backend.dialled, 1);
});

scenario('a client that asks on and on and reads nothing is held back', async (rig) => {
  const backend = await keeping(rig);
  const fairlead = await rig.run({
    servers: [backend.address], ...kOne, route: 'path = "/app"', timeouts: 'write_stall = "1s"',
  });
  const client = await rig.connect(fairlead);
  client.socket.pause();
  const many = get('/nowhere').repeat(10_000);
  for (let i = 0; i < 40; ++i) client.send(many);
  const refused = () => fairlead.log.filter((entry) => entry.event === 'http').length;
  await fairlead.until(() => refused() > 0, 'the first answers');
  let before = -1;
  while (before !== refused()) {
    before = refused();
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  assert.ok(before < 100_000, `${before} answered to nobody`);
});
