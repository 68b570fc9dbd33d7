// What passes through an open session: everything, byte for byte, in its order.

import assert from 'node:assert/strict';
import { moment } from './lib/deadline.js';
import { Op, frame } from './lib/frames.js';
import { havePython, pythonClient, pythonServer } from './lib/python.js';
import { scenario } from './lib/rig.js';
import { Client, random, sha, wsServer } from './lib/sockets.js';

// Each scenario of ws peers runs over plain TCP and over TLS.
const kTransports = [
  ['plain', () => ({}), (fairlead) => `ws://127.0.0.1:${fairlead.port}`],
  [
    'TLS',
    (rig) => ({ tls: rig.certificate().toml }),
    (fairlead) => `wss://127.0.0.1:${fairlead.port}`,
  ],
];

for (const [transport, settings, url] of kTransports) {
  scenario(
    `text, binary, empty and fragmented messages pass both ways over ${transport}`,
    async (rig) => {
      const server = await wsServer(rig);
      const fairlead = await rig.run({ servers: [server.address], ...settings(rig) });
      const client = await Client.open(rig, `${url(fairlead)}/echo`, [], {
        perMessageDeflate: false,
      });
      const messages = [
        'hello',
        '',
        'ü😀'.repeat(100),
        'x'.repeat(125),
        'x'.repeat(126),
        'x'.repeat(65535),
        'x'.repeat(65536),
        Buffer.alloc(0),
        Buffer.from([0, 255, 128]),
        random(300_000),
      ];
      for (const message of messages) client.send(message);
      client.send('one ', { fin: false });
      client.send('', { fin: false });
      client.send('two', { fin: true });
      await client.message(messages.length);
      messages.push('one two');
      for (const [i, want] of messages.entries()) {
        assert.equal(client.messages[i].binary, Buffer.isBuffer(want), `kind of message ${i}`);
        assert.ok(client.messages[i].data.equals(Buffer.from(want)), `message ${i}`);
      }
      client.close(4000, 'done');
      assert.deepEqual(await client.untilClosed(), { code: 4000, reason: 'done' });
      const entry = await fairlead.waitForClose();
      const total = messages.reduce((sum, one) => sum + Buffer.byteLength(one), 0);
      assert.deepEqual(
        [entry.msgs_in, entry.msgs_out, entry.bytes_in, entry.bytes_out],
        [messages.length, messages.length, total, total],
      );
    },
  );

  scenario(
    `a message of 64 MiB passes both ways over ${transport} where max_message is off`,
    async (rig) => {
      const server = await wsServer(rig);
      const fairlead = await rig.run({
        servers: [server.address],
        websocket: 'max_message = "off"',
        ...settings(rig),
      });
      const client = await Client.open(rig, `${url(fairlead)}/`, [], {
        perMessageDeflate: false,
        maxPayload: 0,
      });
      const message = Buffer.alloc(64 * 1024 * 1024, random(4099));
      client.send(message);
      const { data } = await client.message(0, 60_000);
      assert.equal(data.length, message.length);
      assert.equal(sha(data), sha(message));
    },
  );

  scenario(`permessage-deflate is agreed end to end and passes over ${transport}`, async (rig) => {
    const server = await wsServer(rig, { perMessageDeflate: { threshold: 0 } });
    const fairlead = await rig.run({ servers: [server.address], ...settings(rig) });
    const client = await Client.open(rig, `${url(fairlead)}/`, [], {
      perMessageDeflate: { threshold: 0 },
    });
    assert.match(client.socket.extensions, /permessage-deflate/);
    const texts = ['a'.repeat(100_000), 'hello', '', 'b'.repeat(300)];
    for (const text of texts) client.send(text);
    client.send('frag', { fin: false });
    client.send('ments', { fin: true });
    await client.message(texts.length);
    assert.deepEqual(
      client.messages.map((one) => one.data.toString()),
      [...texts, 'fragments'],
    );
    client.close(1000);
    const entry = await fairlead.waitForClose();
    assert.match(entry.extensions, /permessage-deflate/);
    assert.ok(entry.bytes_in < 10_000, `bytes as they passed, compressed: ${entry.bytes_in}`);
  });
}

scenario('pings and pongs of the application pass both ways with their payload', async (rig) => {
  let session;
  const pings = [];
  const pongs = [];
  const server = await wsServer(rig, {
    onSession: (socket) => {
      session = socket;
      socket.on('ping', (data) => pings.push(data.toString()));
      socket.on('pong', (data) => pongs.push(data.toString()));
      socket.on('message', (data) => socket.send(data));
    },
  });
  const fairlead = await rig.run({ servers: [server.address] });
  const client = await Client.open(rig, `ws://127.0.0.1:${fairlead.port}/`);
  client.socket.ping('from the client');
  client.socket.pong('unasked');
  await client.until(() => client.pongs.length === 1, 'a pong');
  assert.deepEqual([client.pongs, pings], [['from the client'], ['from the client']]);
  session.ping('from the server');
  await client.until(() => client.pings.length === 1, 'a ping');
  client.send('after');
  await client.message(0);
  assert.deepEqual([client.pings, pongs], [['from the server'], ['unasked', 'from the server']]);
});

scenario(
  'the frames arrive bit for bit: masks, fragments, interleaved control frames',
  async (rig) => {
    const { backend, fairlead } = await rig.pair();
    const { client, server } = await rig.session(fairlead, backend);
    const mask = [1, 2, 3, 4];
    const up = Buffer.concat([
      frame({ mask, fin: false, op: Op.text, payload: 'one' }),
      frame({ mask: [0, 0, 0, 0], op: Op.ping, payload: 'between' }),
      frame({ mask, fin: false, op: Op.continuation, payload: '' }),
      frame({ mask, op: Op.pong, payload: Buffer.alloc(125, 1) }),
      frame({ mask, op: Op.continuation, payload: 'two' }),
      frame({ mask, op: Op.binary, payload: Buffer.alloc(126, 7) }),
      frame({ mask, op: Op.binary, payload: Buffer.alloc(65536, 9) }),
      // Text that is no UTF-8: relayed, the ends judge it.
      frame({ mask, op: Op.text, payload: Buffer.from([0xff, 0xfe]) }),
    ]);
    client.send(up);
    assert.ok((await server.read(up.length)).equals(up));
    const down = Buffer.concat([
      frame({ fin: false, op: Op.binary, payload: 'one' }),
      frame({ op: Op.ping, payload: '' }),
      frame({ op: Op.continuation, payload: Buffer.alloc(70_000, 3) }),
      frame({ op: Op.pong, payload: 'unasked' }),
      frame({ op: Op.text, payload: '' }),
    ]);
    server.send(down);
    assert.ok((await client.read(down.length)).equals(down));
  },
);

scenario('a session fed byte by byte gives the same bytes', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const { client, server } = await rig.session(fairlead, backend);
  const up = Buffer.concat([
    client.build({ payload: 'x'.repeat(130) }),
    client.build({ op: Op.ping, payload: 'p' }),
    client.build({ payload: '' }),
    client.build({ payload: 'end' }),
  ]);
  for (const byte of up) await client.send(Buffer.from([byte]));
  assert.ok((await server.read(up.length)).equals(up));
  const down = Buffer.concat([
    server.build({ payload: 'y'.repeat(130) }),
    server.build({ op: Op.pong, payload: 'p' }),
    server.build({ payload: 'end' }),
  ]);
  for (const byte of down) await server.send(Buffer.from([byte]));
  assert.ok((await client.read(down.length)).equals(down));
});

scenario('a message is relayed while it is still being sent', async (rig) => {
  const { backend, fairlead } = await rig.pair({ websocket: 'max_message = "off"' });
  const { client, server } = await rig.session(fairlead, backend);
  const whole = client.build({ payload: random(200_000) });
  client.send(whole.subarray(0, 100_000));
  assert.ok((await server.read(100_000)).equals(whole.subarray(0, 100_000)));
  client.send(whole.subarray(100_000));
  assert.ok((await server.read(whole.length - 100_000)).equals(whole.subarray(100_000)));
});

scenario('a subprotocol is agreed between the ends', async (rig) => {
  const server = await wsServer(rig, {
    handleProtocols: (offered) => (offered.has('v2') ? 'v2' : false),
  });
  const fairlead = await rig.run({ servers: [server.address] });
  const client = await Client.open(rig, `ws://127.0.0.1:${fairlead.port}/`, ['v1', 'v2']);
  assert.equal(client.socket.protocol, 'v2');
});

scenario(
  'python-websockets speaks through it as a client',
  { skip: !havePython && 'python3-websockets is not installed' },
  async (rig) => {
    const server = await wsServer(rig, {
      perMessageDeflate: true,
      handleProtocols: () => 'echo.v1',
    });
    const fairlead = await rig.run({ servers: [server.address], tls: rig.certificate().toml });
    const found = await pythonClient(rig, `wss://127.0.0.1:${fairlead.port}/`);
    assert.deepEqual(found, {
      subprotocol: 'echo.v1',
      extensions: ['permessage-deflate'],
      same: true,
      ponged: true,
      close: [4001, 'enough'],
    });
  },
);

scenario(
  'python-websockets speaks through it at both ends',
  { skip: !havePython && 'python3-websockets is not installed' },
  async (rig) => {
    const address = await pythonServer(rig);
    const fairlead = await rig.run({ servers: [address] });
    const found = await pythonClient(rig, `ws://127.0.0.1:${fairlead.port}/`);
    assert.deepEqual(found, {
      subprotocol: 'echo.v1',
      extensions: ['permessage-deflate'],
      same: true,
      ponged: true,
      close: [4001, 'enough'],
    });
  },
);

scenario('200 sessions at once, each with traffic of its own, stay byte-exact', async (rig) => {
  const server = await wsServer(rig, { perMessageDeflate: false });
  const fairlead = await rig.run({ servers: [server.address] });
  const open = () =>
    Client.open(rig, `ws://127.0.0.1:${fairlead.port}/`, [], { perMessageDeflate: false });
  const clients = await Promise.all(Array.from({ length: 200 }, open));
  const source = random(256 * 1024);
  await Promise.all(
    clients.map(async (client, i) => {
      const sent = Array.from({ length: 10 }, (_, j) => {
        const size = (i * 7919 + j * 104729) % 20_000;
        return source.subarray((i * 131 + j) % 1000, ((i * 131 + j) % 1000) + size);
      });
      for (const message of sent) client.send(message);
      await client.message(sent.length - 1, 30_000);
      sent.forEach((message, j) =>
        assert.ok(client.messages[j].data.equals(message), `client ${i}, message ${j}`),
      );
      client.close(1000, 'bye');
      assert.equal((await client.untilClosed()).code, 1000);
    }),
  );
  await fairlead.until(
    () => fairlead.log.filter((entry) => entry.event === 'close').length === 200,
    'a log line for each',
  );
  assert.equal(
    new Set(fairlead.log.filter((entry) => entry.event === 'close').map((entry) => entry.conn_id))
      .size,
    200,
  );
});

scenario('a session outlives its silence', async (rig) => {
  // Timeouts of the handshake's phases must not reach into the session.
  const { backend, fairlead } = await rig.pair({
    timeouts:
      'request_head = "200ms"\nkeepalive = "200ms"\nconnect = "200ms"\nresponse_head = "200ms"\nwrite_stall = "200ms"',
    websocket: 'ping_interval = "off"',
  });
  const { client, server } = await rig.session(fairlead, backend);
  await moment(800);
  client.sendText('still here');
  await server.expectText('still here');
  server.sendText('me too');
  await client.expectText('me too');
});
