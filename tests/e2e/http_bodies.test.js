// Bodies both ways: every method, both framings, streamed with backpressure, trailers, interim and
// early answers, HTTP/1.0.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import nodeHttp from 'node:http';
import { promisify } from 'node:util';
import { within } from './lib/deadline.js';
import { chunked, get, keeping, ok, post, readRequest } from './lib/plain.js';
import { scenario } from './lib/rig.js';

const run = promisify(execFile);
const kMiB = 1024 * 1024;
const kStream = Number(process.env.FAIRLEAD_STREAM_MIB ?? 64) * kMiB;

const rss = (fairlead) =>
  Number(fs.readFileSync(`/proc/${fairlead.child.pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]);

scenario('every method passes, with a body or without', async (rig) => {
  const backend = await keeping(rig);
  const fairlead = await rig.run({ servers: [backend.address] });
  const client = await rig.connect(fairlead);
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'REPORT']) {
    const bare = await client.request(get(`/${method}`, [], method));
    assert.deepEqual([bare.status, bare.body], [200, `/${method}`]);
    const full = await client.request(get('/', ['Content-Length: 5'], method) + 'hello');
    assert.deepEqual([full.status, full.body], [200, 'hello']);
  }
  const seen = backend.requests.map((one) => one.head);
  assert.equal(seen[2].get('content-length'), undefined, 'a POST without a body says nothing');
  assert.ok(seen.every((head) => head.get('connection') === undefined));
  const entry = await fairlead.waitForLog((one) => one.event === 'http' && one.bytes_in === 5);
  assert.deepEqual([entry.status, entry.bytes_out, entry.reason], [200, 5, 'done']);
});

scenario('a chunked body passes as chunks of our own, without extensions', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const client = await rig.connect(fairlead);
  client.send(
    get('/', ['Transfer-Encoding: chunked'], 'POST') +
      '5;a=b\r\nhello\r\n6\r\n world\r\n0;x\r\n\r\n',
  );
  const server = await backend.accept();
  const head = await server.readHead();
  assert.deepEqual(head.all('transfer-encoding'), ['chunked']);
  assert.equal(head.get('content-length'), undefined);
  await server.until(() => server.buffer.includes('0\r\n\r\n'), 'the last chunk');
  assert.equal(server.take(server.buffer.length).toString(), 'b\r\nhello world\r\n0\r\n\r\n');
  server.send(ok('fine'));
  assert.equal((await client.readAnswer()).body, 'fine');
});

scenario('an upload streams: its first part is there before its last is sent', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  for (const framing of ['Content-Length: 10', 'Transfer-Encoding: chunked']) {
    const parts = framing.includes('chunked') ? ['5\r\nfirst\r\n', '4\r\nlast\r\n0\r\n\r\n'] : ['first', 'last!'];
    const client = await rig.connect(fairlead);
    client.send(get('/', [framing, 'Connection: close'], 'POST'));
    const server = await backend.accept();
    const head = await server.readHead();
    client.send(parts[0]);
    await server.until(() => server.buffer.includes('first'), 'the first part');
    client.send(parts[1]);
    await server.until(() => server.buffer.includes('last'), 'the last part');
    assert.equal(head.method, 'POST');
    server.send(ok('done'));
    assert.equal((await client.readAnswer()).body, 'done');
    await client.expectEnd();
    server.destroy();
  }
});

scenario('trailers pass both ways, those that may', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const client = await rig.connect(fairlead);
  client.send(
    chunked('/', ['hello'], ['TE: trailers', 'Trailer: X-Sum'], 'X-Sum: 1\r\nX-Real-IP: 6.6.6.6\r\n'),
  );
  const server = await backend.accept();
  const head = await server.readHead();
  assert.deepEqual([head.get('te'), head.get('connection'), head.get('trailer')], ['trailers', 'TE', 'X-Sum']);
  await server.until(() => server.buffer.includes('\r\n\r\n'), 'the end');
  assert.equal(server.take(server.buffer.length).toString(), '5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n');
  server.send(
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Time\r\n\r\n2\r\nok\r\n0\r\nX-Time: 5\r\nCache-Control: no-store\r\n\r\n',
  );
  const answer = await client.readHead();
  assert.equal(answer.get('trailer'), 'X-Time');
  await client.until(() => client.buffer.includes('\r\n\r\n'), 'the end');
  assert.equal(client.take(client.buffer.length).toString(), '2\r\nok\r\n0\r\nX-Time: 5\r\n\r\n');
});

scenario('Expect: 100-continue goes to the server and its 100 to the client', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const client = await rig.connect(fairlead);
  client.send(get('/', ['Content-Length: 5', 'Expect: 100-continue'], 'PUT'));
  const server = await backend.accept();
  assert.equal((await server.readHead()).get('expect'), '100-continue');
  assert.equal(client.buffer.length, 0, 'no 100 of our own');
  server.send('HTTP/1.1 100 Continue\r\n\r\n');
  assert.equal((await client.readHead()).status, 100);
  client.send('hello');
  assert.equal((await server.read(5)).toString(), 'hello');
  server.send('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n' + ok('stored'));
  const hints = await client.readHead();
  assert.deepEqual([hints.status, hints.get('link')], [103, '</a>']);
  const answer = await client.readAnswer();
  assert.deepEqual([answer.status, answer.body], [200, 'stored']);
});

scenario('an expectation that is refused: the answer passes, and the connection ends', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const client = await rig.connect(fairlead);
  client.send(get('/', ['Content-Length: 5', 'Expect: 100-continue'], 'PUT'));
  const server = await backend.accept();
  await server.readHead();
  server.send('HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n');
  const answer = await client.readAnswer();
  assert.deepEqual([answer.status, answer.head.get('connection')], [417, 'close']);
  await client.expectEnd();
  await server.expectEnd();
});

scenario('curl uploads with and without 100-continue', async (rig) => {
  const backend = await new Promise((resolve) => {
    const server = nodeHttp.createServer((request, response) => {
      let size = 0;
      request.on('data', (bytes) => (size += bytes.length));
      request.on('end', () => response.end(String(size)));
    });
    rig.defer(() => server.closeAllConnections?.() ?? server.close());
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
  rig.defer(() => backend.close());
  const fairlead = await rig.run({ servers: [`127.0.0.1:${backend.address().port}`] });
  const file = `${rig.directory()}/upload`;
  fs.writeFileSync(file, Buffer.alloc(3 * kMiB, 'u'));
  for (const options of [[], ['-H', 'Expect:'], ['-H', 'Transfer-Encoding: chunked']]) {
    const { stdout } = await run('curl', ['-sS', '--max-time', '20', ...options, '-T', file,
      `http://127.0.0.1:${fairlead.port}/up`]);
    assert.equal(stdout, String(3 * kMiB), options.join(' '));
  }
});

scenario('an early answer to an unfinished upload passes at once, and nothing is left behind', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const client = await rig.connect(fairlead);
  client.send(get('/', ['Content-Length: 1000000'], 'POST') + 'x'.repeat(1000));
  const server = await backend.accept();
  await server.readHead();
  server.send('HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig');
  const answer = await client.readAnswer();
  assert.deepEqual([answer.status, answer.body, answer.head.get('connection')], [413, 'big', 'close']);
  // The rest of the upload is dropped; a request hidden in it goes nowhere.
  client.send('x'.repeat(300000) + get('/hidden'));
  await client.expectEnd();
  await server.until(() => server.ended, 'the end of the server connection');
  assert.ok(!server.buffer.includes('/hidden'));
  assert.equal(backend.dialled, 1);
});

scenario('a server that answers and closes in the middle of an upload is heard', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const client = await rig.connect(fairlead);
  client.send(get('/', [`Content-Length: ${64 * kMiB}`], 'POST'));
  const server = await backend.accept();
  await server.readHead();
  server.send('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno');
  server.end();
  for (let i = 0; i < 20; ++i) client.send(Buffer.alloc(kMiB / 4));
  const answer = await client.readAnswer();
  assert.deepEqual([answer.status, answer.body], [403, 'no']);
});

scenario('both directions stream at once', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const client = await rig.connect(fairlead);
  client.send(get('/', ['Transfer-Encoding: chunked'], 'POST') + '3\r\none\r\n');
  const server = await backend.accept();
  await server.readHead();
  server.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nONE\r\n');
  await client.until(() => client.buffer.includes('ONE'), 'the first echo');
  client.send('3\r\ntwo\r\n');
  await server.until(() => server.buffer.includes('two'), 'the second part');
  server.send('3\r\nTWO\r\n');
  await client.until(() => client.buffer.includes('TWO'), 'the second echo');
  client.send('0\r\n\r\n');
  await server.until(() => server.buffer.includes('0\r\n\r\n'), 'the end of the upload');
  server.send('0\r\n\r\n');
  await client.until(() => client.buffer.includes('0\r\n\r\n'), 'the end of the answer');
});

scenario('an answer that ends with its connection is chunked to HTTP/1.1', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const client = await rig.connect(fairlead);
  client.send(get('/1') + get('/2'));
  for (const target of ['/1', '/2']) {
    const server = await backend.accept();
    assert.equal((await server.readHead()).target, target);
    server.send(`HTTP/1.0 200 OK\r\n\r\nhello ${target}`);
    server.end();
    const answer = await client.readAnswer();
    assert.deepEqual(answer.head.all('transfer-encoding'), ['chunked']);
    assert.equal(answer.body, `hello ${target}`);
  }
});

scenario('HTTP/1.0: chunks are taken off, no interim answers, closed at the end', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const client = await rig.connect(fairlead);
  client.send('POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nhi');
  const server = await backend.accept();
  const request = await readRequest(server);
  assert.deepEqual([request.body.toString(), request.head.get('expect')], ['hi', undefined]);
  server.send('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
  server.send('5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX: y\r\n\r\n');
  const answer = await client.readAnswer();
  assert.equal(answer.head.get('transfer-encoding'), undefined);
  assert.deepEqual([answer.status, answer.body], [200, 'hello world']);
  await client.expectEnd();
});

scenario('curl speaks HTTP/1.0, and HEAD over a kept connection', async (rig) => {
  const backend = await keeping(rig, () => 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n');
  const fairlead = await rig.run({ servers: [backend.address] });
  const { stdout } = await run('curl', ['-sS', '-0', '--max-time', '20', `http://127.0.0.1:${fairlead.port}/`]);
  assert.equal(stdout, 'hello');
});

// A node server that takes or gives `size` bytes.
async function streamer(rig, size) {
  const piece = Buffer.alloc(256 * 1024, 's');
  const server = nodeHttp.createServer((request, response) => {
    if (request.method === 'POST') {
      let got = 0;
      request.on('data', (bytes) => (got += bytes.length));
      request.on('end', () => response.end(String(got)));
      return;
    }
    let left = size;
    if (request.url === '/length') response.setHeader('Content-Length', size);
    const more = () => {
      while (left > 0) {
        const part = piece.subarray(0, Math.min(left, piece.length));
        left -= part.length;
        if (!response.write(part)) return response.once('drain', more);
      }
      response.end();
    };
    more();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  rig.defer(() => (server.closeAllConnections?.(), server.close()));
  return `127.0.0.1:${server.address().port}`;
}

// FAIRLEAD_STREAM_MIB=2048 streams the 2 GiB.
scenario(`${kStream / kMiB} MiB stream both ways in constant memory`, async (rig) => {
  const fairlead = await rig.run({ servers: [await streamer(rig, kStream)] });
  const url = `http://127.0.0.1:${fairlead.port}`;
  const before = rss(fairlead);
  let most = 0;
  const timer = setInterval(() => {
    try {
      most = Math.max(most, rss(fairlead));
    } catch {
      // it has ended
    }
  }, 20);
  rig.defer(() => clearInterval(timer));
  const options = ['-sS', '--max-time', '900', '-w', '%{size_download}'];
  for (const path of ['/length', '/chunked']) {
    const { stdout } = await run('curl', [...options, '-o', '/dev/null', url + path]);
    assert.equal(stdout, String(kStream), path);
  }
  const file = `${rig.directory()}/big`;
  const fd = fs.openSync(file, 'w');
  fs.ftruncateSync(fd, kStream); // a hole: takes no space
  fs.closeSync(fd);
  for (const header of ['Expect:', 'Transfer-Encoding: chunked']) {
    const { stdout } = await run('curl', [...options, '-H', header, '-X', 'POST', '-T', file, url + '/up']);
    assert.ok(stdout.startsWith(String(kStream)), `${header}: ${stdout}`);
  }
  assert.ok(most > 0 && most - before < 8 * 1024, `RSS grew from ${before} to ${most} KiB`);
});

scenario('a client that does not read stops the server, one that does not take the upload the client', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const before = rss(fairlead);
  const slow = await rig.connect(fairlead);
  slow.socket.pause();
  slow.send(get('/'));
  const server = await backend.accept();
  await server.readHead();
  server.send(`HTTP/1.1 200 OK\r\nContent-Length: ${64 * kMiB}\r\n\r\n`);
  server.send(Buffer.alloc(64 * kMiB));
  const client = await rig.connect(fairlead);
  client.send(get('/', [`Content-Length: ${64 * kMiB}`], 'POST'));
  client.send(Buffer.alloc(64 * kMiB));
  const sink = await backend.accept();
  sink.socket.pause();
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.ok(server.socket.bufferSize > 0 && client.socket.bufferSize > 0, 'both sources wait');
  assert.ok(rss(fairlead) - before < 8 * 1024);
  sink.counting = true;
  slow.counting = true;
  sink.socket.resume();
  slow.socket.resume();
  await slow.until(() => slow.received >= 64 * kMiB, 'the whole answer', 20_000);
  await sink.until(() => sink.received >= 64 * kMiB, 'the whole upload', 20_000);
});

scenario('an upload that stalls is answered 408 and closed', async (rig) => {
  const { backend, fairlead } = await rig.pair({ timeouts: 'write_stall = "300ms"' });
  const client = await rig.connect(fairlead);
  client.send(get('/', ['Content-Length: 10'], 'POST') + 'half');
  const server = await backend.accept();
  const answer = await client.readAnswer();
  assert.equal(answer.status, 408);
  assert.ok(answer.body.includes('body_timeout'), answer.body);
  await client.expectEnd();
  await server.until(() => server.ended, 'the server is told by the end');
});

scenario('a server that is silent behind a whole upload is answered for with 504', async (rig) => {
  const { fairlead } = await rig.pair({ timeouts: 'response_head = "300ms"' });
  const client = await rig.connect(fairlead);
  const answer = await client.request(post('/', 'hello'));
  assert.deepEqual([answer.status, answer.head.get('connection')], [504, 'keep-alive']);
});

scenario('events may be as rare as they like, and a client that leaves is noticed', async (rig) => {
  const { backend, fairlead } = await rig.pair({
    timeouts: 'response_head = "200ms"\nwrite_stall = "200ms"\nkeepalive = "200ms"\nrequest_head = "200ms"',
  });
  const client = await rig.connect(fairlead);
  client.send(get('/events'));
  const server = await backend.accept();
  await server.readHead();
  server.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n');
  await client.readHead();
  server.send('data: 1\n\n');
  await client.until(() => client.buffer.includes('data: 1'), 'the first event');
  await new Promise((resolve) => setTimeout(resolve, 700));
  server.send('data: 2\n\n');
  await client.until(() => client.buffer.includes('data: 2'), 'an event after a long silence');
  client.destroy();
  await within(server.until(() => server.ended, 'the server sees that nobody listens'), 'the end');
  const entry = await fairlead.waitForLog((one) => one.event === 'http');
  assert.equal(entry.reason, 'client_left');
});

scenario('a drain lets an exchange finish', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const client = await rig.connect(fairlead);
  client.send(get('/', ['Content-Length: 10'], 'POST') + 'first');
  const server = await backend.accept();
  await server.readHead();
  fairlead.signal('SIGTERM');
  await fairlead.until(() => fairlead.stderr.includes('draining'), 'the drain begins');
  client.send('secnd');
  assert.equal((await server.read(10)).toString(), 'firstsecnd');
  server.send(ok('whole'));
  const answer = await client.readAnswer();
  assert.deepEqual([answer.body, answer.head.get('connection')], ['whole', 'close']);
  assert.equal(await fairlead.ended(), 0);
});
