// Long polling: a request that waits for news, and POSTs that bring them, on two servers of one room.

import assert from 'node:assert/strict';
import { Changes, within } from '../e2e/lib/deadline.js';
import { scenario } from '../e2e/lib/rig.js';
import { front } from './lib/front.js';
import { bodyOf, httpServer } from './lib/servers.js';

async function site(rig, settings) {
  const room = { messages: [], waiting: new Set(), changes: new Changes() };
  const handler = async (request, answer) => {
    const url = new URL(request.url, 'http://app');
    if (request.method === 'POST') {
      room.messages.push((await bodyOf(request)).toString());
      for (const give of [...room.waiting]) give();
      return void answer.writeHead(201).end();
    }
    const since = Number(url.searchParams.get('since'));
    const give = () => {
      room.waiting.delete(give);
      answer
        .setHeader('Content-Type', 'application/json')
        .end(JSON.stringify(room.messages.slice(since)));
    };
    if (url.searchParams.has('patience')) return void answer.writeHead(204).end();
    if (room.messages.length > since) return void give();
    room.waiting.add(give);
    answer.on('close', () => {
      room.waiting.delete(give);
      room.changes.touch();
    });
    room.changes.touch();
  };
  const servers = [await httpServer(rig, handler), await httpServer(rig, handler)];
  const app = await front(
    rig,
    servers.map((one) => one.where),
    settings,
  );
  const poll = (since, options) => fetch(app.at(`/poll?since=${since}`), options);
  const say = (text) => fetch(app.at('/say'), { method: 'POST', body: text });
  return { room, poll, say, servers, ...app };
}

const held = ({ room }, n = 1) =>
  room.changes.until(() => room.waiting.size === n, `${n} polls are held`);

scenario('a held request is answered when news come, again and again', async (rig) => {
  const app = await site(rig);
  for (let n = 0; n < 5; ++n) {
    const polls = [app.poll(n), app.poll(n)];
    await held(app, 2);
    assert.equal((await app.say(`news ${n} 😀`)).status, 201);
    for (const poll of polls)
      assert.deepEqual(await (await within(poll, 'the answer')).json(), [`news ${n} 😀`]);
  }
  assert.deepEqual((await (await app.poll(2)).json()).length, 3);
  assert.equal((await fetch(app.at('/poll?since=9&patience=0'))).status, 204);
  await app.allUsed();
});

// A FIN right behind the request may be all that such a client means to end: it still waits. What
// tells is a reset.
scenario('a client that gives up is gone from the server', async (rig) => {
  const app = await site(rig, { tls: undefined });
  const client = await rig.connect(app.fairlead);
  client.send('GET /poll?since=0 HTTP/1.1\r\nHost: chat.example.com\r\n\r\n');
  await held(app);
  client.abort();
  await held(app, 0);
  await app.fairlead.waitForLog((entry) => entry.reason === 'client_left');
});

scenario('a poll held longer than response_head is answered 504', async (rig) => {
  const app = await site(rig, { timeouts: 'response_head = "300ms"' });
  const answer = await within(app.poll(0), 'an answer');
  assert.equal(answer.status, 504);
  assert.match(await answer.text(), /backend_answer_timeout/);
  await held(app, 0);
  // The room goes on.
  await app.say('late');
  assert.deepEqual(await (await app.poll(0)).json(), ['late']);
});
