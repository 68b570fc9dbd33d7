// Stopping: what a signal does to new handshakes, open sessions and exchanges, and to the exit code.

import assert from 'node:assert/strict';
import { moment } from './lib/deadline.js';
import { Op, handshakeHead } from './lib/frames.js';
import { scenario } from './lib/rig.js';

const kGet = 'GET /slow HTTP/1.1\r\nHost: chat.example.com\r\n\r\n';

for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT']) {
  scenario(
    `${signal} ends every session with 1001 on both sides, then the process with 0`,
    async (rig) => {
      const { backend, fairlead } = await rig.pair();
      const sessions = [];
      for (let i = 0; i < 5; ++i) sessions.push(await rig.session(fairlead, backend));
      fairlead.signal(signal);
      await Promise.all(
        sessions.flatMap(({ client, server }) => [
          client.expectClosing(1001),
          server.expectClosing(1001),
        ]),
      );
      assert.equal(await fairlead.ended(), 0);
      const closes = fairlead.log.filter((entry) => entry.event === 'close');
      assert.equal(closes.length, 5);
      for (const entry of closes)
        assert.deepEqual([entry.reason, entry.closed_by], ['stopping', 'proxy']);
    },
  );
}

scenario('without sessions the process ends at once', async (rig) => {
  const { fairlead } = await rig.pair({ server: 'drain = { deadline = "60s" }' });
  fairlead.signal('SIGTERM');
  assert.equal(await fairlead.ended(3_000), 0);
});

scenario('an idle keep-alive connection does not hold up the end', async (rig) => {
  const { backend, fairlead } = await rig.pair({ server: 'drain = { deadline = "60s" }' });
  const client = await rig.connect(fairlead);
  client.send(kGet);
  const server = await backend.accept();
  await server.readHead();
  server.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  server.end();
  assert.equal((await client.readAnswer()).body, 'ok');
  const silent = await rig.connect(fairlead);
  fairlead.signal('SIGTERM');
  assert.equal(await fairlead.ended(5_000), 0);
  await client.expectEnd();
  await silent.until(() => silent.ended, 'the end');
});

scenario('while it drains new handshakes are refused', async (rig) => {
  const { backend, fairlead } = await rig.pair({ server: 'drain = { deadline = "60s" }' });
  const waiting = await rig.connect(fairlead);
  waiting.send(handshakeHead().slice(0, -2)); // all but the last line
  const { client, server } = await rig.session(fairlead, backend);
  const dialled = backend.dialled;
  fairlead.signal('SIGTERM');
  await client.expectClose(1001); // so it drains; unanswered, it goes on doing so
  waiting.send('\r\n');
  const head = await waiting.readHead().catch(() => null); // or the connection just ended
  if (head) {
    assert.equal(head.status, 503);
    assert.match(head.get('retry-after') ?? '', /^\d+$/);
    assert.ok((await waiting.readBody(head)).toString().includes('draining'));
  }
  const late = await rig.connect(fairlead).catch(() => null); // or the listener is closed
  if (late) {
    late.send(handshakeHead());
    const answer = await late.readHead().catch(() => null);
    if (answer) assert.equal(answer.status, 503);
  }
  assert.equal(backend.dialled, dialled);
  await server.expectClose(1001);
  client.sendClose(1001);
  server.sendClose(1001);
  server.end();
  assert.equal(await fairlead.ended(), 0);
});

scenario('a plain exchange that has begun is finished', async (rig) => {
  const { backend, fairlead } = await rig.pair({ server: 'drain = { deadline = "60s" }' });
  const witness = await rig.session(fairlead, backend);
  const client = await rig.connect(fairlead);
  client.send(kGet);
  const server = await backend.accept();
  await server.readHead();
  server.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst');
  await client.until(() => client.buffer.includes('first'), 'the first half');
  fairlead.signal('SIGTERM');
  await Promise.all([witness.client.expectClosing(1001), witness.server.expectClosing(1001)]);
  server.send('later');
  const answer = await client.readAnswer();
  assert.equal(answer.body, 'firstlater');
  await client.expectEnd();
  assert.equal(await fairlead.ended(), 0);
});

scenario('the deadline bounds the drain', async (rig) => {
  const { backend, fairlead } = await rig.pair({ server: 'drain = { deadline = "1s" }' });
  const client = await rig.connect(fairlead);
  client.send(kGet);
  const server = await backend.accept();
  await server.readHead(); // and never an answer
  const session = await rig.session(fairlead, backend); // whose ends do not answer the Close either
  fairlead.signal('SIGTERM');
  await session.client.expectClose(1001);
  assert.equal(await fairlead.ended(8_000), 0);
  assert.equal(fairlead.log.filter((entry) => entry.event === 'close').length, 1);
  assert.equal(fairlead.log.filter((entry) => entry.event === 'http').length, 1);
});

scenario('the deadline counts from the signal, however long it was quiet before', async (rig) => {
  const { backend, fairlead } = await rig.pair({ server: 'drain = { deadline = "1s" }' });
  const client = await rig.connect(fairlead);
  client.send(kGet);
  const server = await backend.accept();
  await server.readHead();
  await moment(1_500);
  fairlead.signal('SIGTERM');
  await fairlead.until(() => fairlead.stderr.includes('draining'), 'the drain');
  await moment();
  server.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  assert.equal((await client.readAnswer()).body, 'ok');
  assert.equal(await fairlead.ended(), 0);
});

scenario('a second signal ends the process at once with 3', async (rig) => {
  const { backend, fairlead } = await rig.pair(
    { server: 'drain = { deadline = "60s" }' },
    { expectExit: 3 },
  );
  const { client } = await rig.session(fairlead, backend);
  const exchange = await rig.connect(fairlead);
  exchange.send(kGet);
  await (await backend.accept()).readHead();
  fairlead.signal('SIGTERM');
  await client.expectClose(1001);
  fairlead.signal('SIGTERM');
  assert.equal(await fairlead.ended(3_000), 3);
});

scenario(
  'a session that goes on talking while it is closed does not hold up the end',
  async (rig) => {
    const { backend, fairlead } = await rig.pair({ server: 'drain = { deadline = "2s" }' });
    const { client, server } = await rig.session(fairlead, backend);
    const talking = setInterval(() => {
      client.sendText('x'.repeat(1000));
      server.sendText('y'.repeat(1000));
    }, 20);
    rig.defer(() => clearInterval(talking));
    fairlead.signal('SIGTERM');
    let got = await client.nextFrame();
    while (got.op === Op.text) got = await client.nextFrame();
    assert.deepEqual([got.op, got.code], [Op.close, 1001]);
    assert.equal(await fairlead.ended(), 0);
  },
);
