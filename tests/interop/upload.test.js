// Uploads: whole bodies, streamed ones, and those a server refuses half way.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import https from 'node:https';
import { within } from '../e2e/lib/deadline.js';
import { scenario } from '../e2e/lib/rig.js';
import { sha } from '../e2e/lib/sockets.js';
import { front } from './lib/front.js';
import { httpServer } from './lib/servers.js';

const kSize = 16 << 20;

// Answers PUT and POST with the size and hash of what came; /small refuses more than 1 MiB; `onPart` is told
// of each part.
async function site(rig, onPart = () => {}) {
  const handler = async (request, answer) => {
    if (request.url === '/small' && Number(request.headers['content-length'] ?? 0) > 1 << 20)
      return void answer.writeHead(413, { Connection: 'close' }).end('too much');
    const hash = createHash('sha256');
    let size = 0;
    for await (const part of request) {
      hash.update(part);
      size += part.length;
      onPart(part);
    }
    const { method, headers } = request;
    answer.setHeader('Content-Type', 'application/json').end(
      JSON.stringify({
        method,
        size,
        hash: hash.digest('hex'),
        length: headers['content-length'],
        coding: headers['transfer-encoding'],
        type: headers['content-type'],
      }),
    );
  };
  const servers = [await httpServer(rig, handler), await httpServer(rig, handler)];
  return front(
    rig,
    servers.map((one) => one.where),
  );
}

// A request by hand: { request, answer } where answer resolves to { status, text }.
function request(app, path, options) {
  const made = https.request(app.at(path), { method: 'POST', agent: false, ...options });
  const answer = new Promise((resolve, reject) => {
    made.on('error', reject);
    made.on('response', async (got) => {
      let text = '';
      try {
        for await (const part of got) text += part;
      } catch (error) {
        reject(error);
      }
      resolve({ status: got.statusCode, text });
    });
  });
  answer.catch(() => {});
  return { request: made, answer: within(answer, 'the answer') };
}

scenario('whole bodies, of each method, arrive as they were sent', async (rig) => {
  const app = await site(rig);
  const body = randomBytes(kSize);
  for (const method of ['PUT', 'POST', 'PATCH', 'DELETE']) {
    const answer = await fetch(app.at('/file'), { method, body });
    const got = await answer.json();
    assert.deepEqual(
      [got.method, got.size, got.hash, got.length, got.coding],
      [method, kSize, sha(body), String(kSize), undefined],
    );
  }
  const form = new FormData();
  form.set('name', 'grüße');
  form.set('file', new Blob([body.subarray(0, 100_000)]), 'a.bin');
  const got = await (await fetch(app.at('/form'), { method: 'POST', body: form })).json();
  assert.match(got.type, /^multipart\/form-data; boundary=/);
  assert.ok(got.size > 100_000);
  await app.allUsed();
});

scenario('a streamed body passes part by part, chunked', async (rig) => {
  let arrived;
  const app = await site(rig, (part) => arrived(part.toString()));
  const { request: made, answer } = request(app, '/stream');
  for (const text of ['first', 'second', 'third']) {
    const there = new Promise((resolve) => (arrived = resolve));
    made.write(text);
    assert.equal(await within(there, text), text); // before the next is sent
  }
  made.end();
  const got = JSON.parse((await answer).text);
  assert.deepEqual([got.size, got.length, got.coding], [16, undefined, 'chunked']);
});

scenario('Expect: 100-continue is answered by the server', async (rig) => {
  const app = await site(rig);
  const body = randomBytes(2 << 20);
  const headers = { Expect: '100-continue', 'Content-Length': body.length };
  const yes = request(app, '/file', { headers });
  await within(
    new Promise((resolve) => {
      yes.request.on('continue', resolve);
      yes.request.flushHeaders();
    }),
    '100 Continue',
  );
  yes.request.end(body);
  assert.equal(JSON.parse((await yes.answer).text).hash, sha(body));
});

scenario('a refusal before the end of an upload reaches the client', async (rig) => {
  const app = await site(rig);
  const { request: made, answer } = request(app, '/small', {
    headers: { 'Content-Length': 1 << 30 },
  });
  made.write(randomBytes(100_000));
  assert.deepEqual(await answer, { status: 413, text: 'too much' });
  made.destroy();
});
