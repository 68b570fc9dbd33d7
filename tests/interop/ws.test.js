// ws, the WebSocket library of Node, at both ends.

import assert from 'node:assert/strict';
import { random, wsServer, Client, echo } from '../e2e/lib/sockets.js';
import { scenario } from '../e2e/lib/rig.js';
import { front } from './lib/front.js';

const pair = (rig, options) =>
  Promise.all([0, 1].map(() => wsServer(rig, { perMessageDeflate: true, ...options })));

scenario('text, binary and fragments come back as they went, on two servers', async (rig) => {
  const servers = await pair(rig);
  const app = await front(
    rig,
    servers.map((one) => one.address),
  );
  const big = random(300_000);
  for (const client of [await Client.open(rig, app.ws()), await Client.open(rig, app.ws())]) {
    client.send('grüße 😀');
    client.send('');
    client.send(big);
    for (const [part, fin] of [
      ['one ', false],
      ['two ', false],
      ['three', true],
    ])
      client.send(part, { fin });
    const got = [0, 1, 2, 3].map((n) => client.message(n));
    const [text, empty, binary, whole] = await Promise.all(got);
    assert.deepEqual([text.data.toString(), text.binary], ['grüße 😀', false]);
    assert.deepEqual([empty.data.length, empty.binary], [0, false]);
    assert.ok(binary.binary && binary.data.equals(big));
    assert.equal(whole.data.toString(), 'one two three');
  }
  await app.allUsed();
});

scenario('permessage-deflate is agreed between the ends and works', async (rig) => {
  const servers = await pair(rig);
  const app = await front(
    rig,
    servers.map((one) => one.address),
  );
  const client = await Client.open(rig, app.ws(), [], { perMessageDeflate: { threshold: 0 } });
  assert.match(client.socket.extensions, /permessage-deflate/);
  const text = 'the same again and again '.repeat(20_000);
  for (let i = 0; i < 3; ++i) {
    client.send(text);
    assert.equal((await client.message(i)).data.toString(), text);
  }
  const plain = await Client.open(rig, app.ws(), [], { perMessageDeflate: false });
  assert.equal(plain.socket.extensions, '');
  plain.send(text);
  assert.equal((await plain.message(0)).data.toString(), text);
});

scenario('subprotocol, pings and close codes reach the other end', async (rig) => {
  const sessions = [];
  const servers = await pair(rig, {
    handleProtocols: (offered) => (offered.has('v2') ? 'v2' : false),
    onSession: (socket) => {
      const session = { socket, pings: [], closed: null };
      sessions.push(session);
      socket.on('ping', (data) => session.pings.push(data.toString()));
      socket.on('close', (code, reason) => (session.closed = [code, reason.toString()]));
      socket.on('message', (data) => socket.close(Number(data), 'as you like'));
      echo(socket);
    },
  });
  const app = await front(
    rig,
    servers.map((one) => one.address),
  );
  const codes = [1000, 1001, 1008, 1011, 3000, 4999];
  for (const code of codes) {
    const client = await Client.open(rig, app.ws('/x?token=1'), ['v1', 'v2']);
    assert.equal(client.socket.protocol, 'v2');
    client.socket.ping('from the app');
    await client.until(() => client.pongs.includes('from the app'), 'the pong');
    client.send(String(code));
    assert.deepEqual(await client.untilClosed(), { code, reason: 'as you like' });
  }
  for (const code of codes) {
    const before = sessions.length;
    const client = await Client.open(rig, app.ws());
    const session = sessions[before];
    client.close(code, 'bye');
    await client.untilClosed();
    assert.equal(client.closed.code, code);
    // The server had the Close before it answered it; `ws` tells when TCP has ended too.
    if (!session.closed) await new Promise((resolve) => session.socket.once('close', resolve));
    assert.deepEqual(session.closed, [code, 'bye']);
  }
  assert.ok(sessions.slice(0, codes.length).every((one) => one.pings.length === 1));
});

scenario(
  'a server that dies closes its sessions with 1011; the next go to the other',
  async (rig) => {
    const servers = await pair(rig);
    const app = await front(
      rig,
      servers.map((one) => one.address),
    );
    const clients = [await Client.open(rig, app.ws()), await Client.open(rig, app.ws())];
    assert.deepEqual(
      servers.map((one) => one.clients.size),
      [1, 1],
    );
    servers[0].close();
    for (const socket of servers[0].clients) socket.terminate();
    const lost = await Promise.race(clients.map((one) => one.untilClosed().then(() => one)));
    assert.equal(lost.closed.code, 1011);
    for (let i = 0; i < 3; ++i) {
      const again = await Client.open(rig, app.ws());
      again.send('there?');
      assert.equal((await again.message(0)).data.toString(), 'there?');
    }
  },
);
