// The tools of these tests against each other, with no proxy between: what fails here is no fault of Fairlead's.

import assert from 'node:assert/strict';
import { Changes, within } from './lib/deadline.js';
import { Op, closePayload, frame, parseFrame } from './lib/frames.js';
import { havePython, pythonClient, pythonServer } from './lib/python.js';
import { Peer, scenario } from './lib/rig.js';
import { Client, random, wsServer } from './lib/sockets.js';

scenario('a frame that was built parses to the same, in each form of its length', async () => {
  for (const size of [0, 1, 125, 126, 65535, 65536]) {
    for (const mask of [false, true]) {
      const payload = random(size);
      const wire = frame({ op: Op.binary, payload, mask });
      assert.equal(parseFrame(wire.subarray(0, wire.length - 1)), null);
      const got = parseFrame(Buffer.concat([wire, Buffer.from('next')]));
      assert.deepEqual(
        [got.size, got.op, got.fin, got.masked],
        [wire.length, Op.binary, true, mask],
      );
      assert.ok(got.payload.equals(payload));
    }
  }
  const close = parseFrame(frame({ op: Op.close, payload: closePayload(4000, 'bye') }));
  assert.deepEqual([close.code, close.reason], [4000, 'bye']);
});

scenario('the raw client and the raw backend understand each other', async (rig) => {
  const backend = await rig.backend();
  const client = rig.keep(await Peer.connect(backend.port));
  const upgraded = client.upgrade({ path: '/x', protocol: 'v1' });
  const server = await backend.accept();
  const request = await server.acceptUpgrade({
    fields: { 'Sec-WebSocket-Protocol': 'v1' },
    then: frame({ payload: 'at once' }),
  });
  assert.deepEqual(
    [request.method, request.target, request.get('sec-websocket-protocol')],
    ['GET', '/x', 'v1'],
  );
  assert.equal((await upgraded).get('sec-websocket-protocol'), 'v1');
  await client.expectText('at once');
  client.sendText('hello');
  await server.expectText('hello');
  server.sendClose(4000, 'bye');
  await client.expectClose(4000, 'bye');
});

scenario('the raw client understands ws, and ws the raw backend', async (rig) => {
  const server = await wsServer(rig);
  const raw = rig.keep(await Peer.connect(Number(server.address.split(':')[1])));
  await raw.upgrade();
  raw.sendText('x'.repeat(70_000));
  await raw.expectText('x'.repeat(70_000));
  raw.sendFrame({ op: 3 });
  await raw.expectClose(1002);

  const backend = await rig.backend();
  const opening = Client.open(rig, `ws://${backend.address}/`);
  const peer = await backend.accept();
  await peer.acceptUpgrade();
  const client = await opening;
  peer.sendText('hello');
  assert.equal((await client.message(0)).data.toString(), 'hello');
  peer.sendFrame({ op: Op.ping, payload: 'p' });
  await peer.expectFrame({ op: Op.pong, payload: 'p' });
  client.close(4001, 'x');
  await peer.expectClosing(4001);
  assert.deepEqual(await client.untilClosed(), { code: 4001, reason: 'x' });
});

scenario('bodies are read in each of their codings', async (rig) => {
  const backend = await rig.backend();
  const answers = [
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\n\r\nhello',
  ];
  for (const answer of answers) {
    const client = rig.keep(await Peer.connect(backend.port));
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const server = await backend.accept();
    await server.readHead();
    server.send(answer);
    server.end();
    assert.equal((await client.readAnswer()).body, 'hello');
  }
});

scenario('an end, a reset and a missing event are told apart', async (rig) => {
  const backend = await rig.backend();
  const one = rig.keep(await Peer.connect(backend.port));
  (await backend.accept()).end();
  await one.expectEnd();
  assert.equal(one.reset, false);
  const two = rig.keep(await Peer.connect(backend.port));
  (await backend.accept()).abort();
  await two.expectEnd();
  assert.equal(two.reset, true);
  const three = rig.keep(await Peer.connect(backend.port));
  const server = await backend.accept();
  await assert.rejects(three.read(1, 50), /not within 50 ms/);
  server.send(frame({ payload: 'half a frame' }).subarray(0, 5));
  server.end();
  await assert.rejects(three.nextFrame(), /ended within a frame/);
  await assert.rejects(within(new Promise(() => {}), 'never', 10), /not within 10 ms: never/);
  await assert.rejects(
    new Changes().until(() => false, 'never', 10),
    /never/,
  );
});

scenario(
  'python-websockets and ws understand each other',
  { skip: !havePython && 'python3-websockets is not installed' },
  async (rig) => {
    const server = await wsServer(rig, {
      perMessageDeflate: true,
      handleProtocols: () => 'echo.v1',
    });
    const want = {
      subprotocol: 'echo.v1',
      extensions: ['permessage-deflate'],
      same: true,
      ponged: true,
      close: [4001, 'enough'],
    };
    assert.deepEqual(await pythonClient(rig, `ws://${server.address}/`), want);
    assert.deepEqual(await pythonClient(rig, `ws://${await pythonServer(rig)}/`), want);
  },
);
