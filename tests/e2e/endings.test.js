// How sessions end: the manual's table row by row, with raw peers that see every byte.

import assert from 'node:assert/strict';
import { Op, closePayload, frame, handshakeHead } from './lib/frames.js';
import { scenario } from './lib/rig.js';

// What the log says of the (next) session that ended.
async function ending(fairlead, want, index = 0) {
  await fairlead.until(() => fairlead.log.filter((entry) => entry.event === 'close').length > index, `session ${index} in the log`);
  const entry = fairlead.log.filter((one) => one.event === 'close')[index];
  for (const [name, value] of Object.entries(want)) assert.equal(entry[name], value, `${name} in ${JSON.stringify(entry)}`);
  return entry;
}

// --- A Close of either side passes ---

scenario('a client\'s Close passes with its code and reason, and so does the answer', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const codes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
  for (const [index, code] of codes.entries()) {
    const { client, server } = await rig.session(fairlead, backend);
    client.sendClose(code, 'tschüß');
    await server.expectClose(code, 'tschüß');
    server.sendClose(code, 'tschüß');
    server.end();
    await client.expectClose(code, 'tschüß');
    await client.expectEnd();
    await ending(fairlead, { close_code: code, close_reason: 'tschüß', closed_by: 'client', reason: 'client_closed' }, index);
    await server.expectEnd();
  }
});

scenario('a backend\'s Close passes with its code and reason, and so does the answer', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  for (const [index, code] of [1000, 1001, 1003, 1008, 1011, 1013, 4003].entries()) {
    const { client, server } = await rig.session(fairlead, backend);
    server.sendClose(code, 'x'.repeat(123));
    await client.expectClose(code, 'x'.repeat(123));
    client.sendClose(1000);
    await server.expectClose(1000);
    server.end();
    await client.expectEnd();
    await ending(fairlead, { close_code: code, closed_by: 'backend', reason: 'backend_closed' }, index);
  }
});

scenario('a Close without a code passes as it is', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const { client, server } = await rig.session(fairlead, backend);
  client.sendClose();
  const got = await server.expectFrame({ op: Op.close });
  assert.equal(got.payload.length, 0);
  server.sendClose();
  await client.expectFrame({ op: Op.close, payload: '' });
  server.end();
  await client.expectEnd();
  await ending(fairlead, { closed_by: 'client', reason: 'client_closed' });
});

scenario('Closes that cross each other both arrive', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const { client, server } = await rig.session(fairlead, backend);
  client.sendClose(4001, 'client');
  server.sendClose(4002, 'backend');
  await server.expectClose(4001, 'client');
  await client.expectClose(4002, 'backend');
  server.end();
  await Promise.all([client.expectEnd(), server.expectEnd()]);
});

scenario('what a client sends after its Close never reaches the backend', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const { client, server } = await rig.session(fairlead, backend);
  client.send(Buffer.concat([client.build({ op: Op.close, payload: closePayload(1000) }), client.build({ payload: 'too late' })]));
  await server.expectClose(1000);
  server.sendClose(1000);
  server.end();
  await server.expectEnd();
});

scenario('messages sent before a Close arrive before it', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const { client, server } = await rig.session(fairlead, backend);
  server.send(Buffer.concat([server.build({ payload: 'a'.repeat(100_000) }), server.build({ payload: 'last' }), server.build({ op: Op.close, payload: closePayload(1000) })]));
  server.end();
  await client.expectText('a'.repeat(100_000));
  await client.expectText('last');
  await client.expectClose(1000);
});

scenario('after a Close nobody answers, TCP ends within about 5 s', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const bound = 9_000;
  const from = async (side) => {
    const session = await rig.session(fairlead, backend);
    const begun = Date.now();
    const [sender, other] = side === 'client' ? [session.client, session.server] : [session.server, session.client];
    sender.sendClose(1000);
    await other.expectClose(1000);
    await sender.until(() => sender.ended, 'the sender\'s end', bound);
    await other.until(() => other.ended, 'the other\'s end', bound);
    assert.ok(Date.now() - begun > 2_500, 'time to answer is given');
  };
  // A Close of Fairlead's own that nobody answers.
  const own = async () => {
    const { client, server } = await rig.session(fairlead, backend);
    client.sendFrame({ op: 3 });
    await client.expectClose(1002);
    await server.expectClose(1001);
    await client.expectEnd(bound);
    await server.expectEnd(bound);
  };
  await Promise.all([own(), from('client'), from('backend')]);
});

// --- Gone without a Close ---

scenario('a client gone without a Close: the backend gets 1001', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  for (const [index, leave] of ['end', 'abort'].entries()) {
    const { client, server } = await rig.session(fairlead, backend);
    client.sendText('hello');
    await server.expectText('hello');
    client[leave]();
    await server.expectClosing(1001);
    await ending(fairlead, { closed_by: 'client', reason: 'client_gone' }, index);
  }
});

scenario('a backend lost without a Close: the client gets 1011', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  for (const [index, leave] of ['end', 'abort'].entries()) {
    const { client, server } = await rig.session(fairlead, backend);
    server.sendText('hello');
    await client.expectText('hello');
    server[leave]();
    await client.expectClosing(1011);
    await ending(fairlead, { closed_by: 'backend', reason: 'backend_gone' }, index);
  }
});

scenario('a backend lost within a frame: TCP ends, with no Close inside the frame', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const { client, server } = await rig.session(fairlead, backend);
  const half = server.build({ payload: 'x'.repeat(1000) }).subarray(0, 504);
  server.send(half);
  assert.ok((await client.read(half.length)).equals(half));
  server.end();
  await client.expectEnd();
  await ending(fairlead, { closed_by: 'backend', reason: 'backend_gone' });
});

scenario('a client gone within a frame: TCP ends, with no Close inside the frame', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const { client, server } = await rig.session(fairlead, backend);
  const half = client.build({ payload: 'x'.repeat(1000) }).subarray(0, 508);
  client.send(half);
  assert.ok((await server.read(half.length)).equals(half));
  client.end();
  await server.expectEnd();
  await ending(fairlead, { closed_by: 'client', reason: 'client_gone' });
});

scenario('a backend lost between two fragments: the client gets 1011', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const { client, server } = await rig.session(fairlead, backend);
  server.sendFrame({ fin: false, payload: 'part' });
  await client.expectFrame({ fin: false, payload: 'part' });
  server.end();
  await client.expectClosing(1011);
});

scenario('a backend lost within a frame\'s header: the client gets 1011 and not a byte of it', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const { client, server } = await rig.session(fairlead, backend);
  server.sendText('whole');
  server.send(server.build({ payload: 'x'.repeat(1000) }).subarray(0, 3));
  server.end();
  await client.expectText('whole');
  await client.expectClosing(1011);
});

scenario('a violation of the client while the backend is within a frame: no Close inside that frame', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const { client, server } = await rig.session(fairlead, backend);
  const half = server.build({ payload: 'x'.repeat(1000) }).subarray(0, 504);
  server.send(half);
  assert.ok((await client.read(half.length)).equals(half));
  client.sendFrame({ op: 3 });
  await server.expectClose(1001);
  server.end();
  await client.expectEnd();
  await ending(fairlead, { closed_by: 'proxy', reason: 'client_protocol_error' });
});

// --- Protocol violations ---

const kMask = [9, 8, 7, 6];
// Bytes either side may not send; `mask` is that of the direction.
const violations = (mask) => ({
  'RSV1 with no extension': frame({ mask, rsv: 4, payload: 'a' }),
  RSV2: frame({ mask, rsv: 2, payload: 'a' }),
  RSV3: frame({ mask, rsv: 1, payload: 'a' }),
  'reserved opcode 3': frame({ mask, op: 3 }),
  'reserved opcode 7': frame({ mask, op: 7, payload: 'a' }),
  'reserved opcode 11': frame({ mask, op: 11 }),
  'reserved opcode 15': frame({ mask, op: 15, payload: 'a' }),
  'a ping of 126 bytes': frame({ mask, op: Op.ping, payload: 'x'.repeat(126) }),
  'a fragmented ping': frame({ mask, fin: false, op: Op.ping }),
  'a fragmented close': frame({ mask, fin: false, op: Op.close, payload: closePayload(1000) }),
  'the other direction\'s mask bit': frame({ mask: mask ? false : kMask, payload: 'a' }),
  'a continuation of nothing': frame({ mask, op: Op.continuation, payload: 'a' }),
  'a new message within a message': Buffer.concat([frame({ mask, fin: false, payload: 'a' }), frame({ mask, payload: 'b' })]),
  'a length of 125 in 16 bits': frame({ mask, payload: 'x'.repeat(125), length: 16 }),
  'a length of 65535 in 64 bits': frame({ mask, payload: 'x'.repeat(65535), length: 64 }),
  'a length with its top bit set': frame({ mask, payload: 'a', length: 64, declared: 0x8000000000000001n }),
  'a close payload of one byte': frame({ mask, op: Op.close, payload: 'a' }),
  ...Object.fromEntries([0, 1, 999, 1005, 1006, 1015, 5000, 65535].map((code) => [`close code ${code}`, frame({ mask, op: Op.close, payload: closePayload(code) })])),
});

scenario('each protocol violation of a client: 1002 for it, 1001 for the backend, nothing forwarded', async (rig) => {
  const { backend, fairlead } = await rig.pair({ websocket: 'max_message = "off"' });
  for (const [index, [what, bytes]] of Object.entries(violations(kMask)).entries()) {
    try {
      const { client, server } = await rig.session(fairlead, backend);
      client.send(Buffer.concat([client.build({ payload: 'good' }), bytes]));
      await server.expectText('good');
      if (what === 'a new message within a message') await server.expectFrame({ fin: false, payload: 'a' });
      await Promise.all([client.expectClosing(1002), server.expectClosing(1001)]);
      await ending(fairlead, { closed_by: 'proxy', reason: 'client_protocol_error' }, index);
    } catch (error) {
      error.message = `${what}: ${error.message}`;
      throw error;
    }
  }
});

scenario('each protocol violation of a backend: 1002 for it, 1011 for the client, nothing forwarded', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  for (const [index, [what, bytes]] of Object.entries(violations(false)).entries()) {
    try {
      const { client, server } = await rig.session(fairlead, backend);
      server.send(Buffer.concat([server.build({ payload: 'good' }), bytes]));
      await client.expectText('good');
      if (what === 'a new message within a message') await client.expectFrame({ fin: false, payload: 'a' });
      await Promise.all([client.expectClosing(1011), server.expectClosing(1002)]);
      await ending(fairlead, { closed_by: 'proxy', reason: 'backend_protocol_error' }, index);
    } catch (error) {
      error.message = `${what}: ${error.message}`;
      throw error;
    }
  }
});

scenario('RSV1 passes on the first frame of a message where permessage-deflate was agreed, elsewhere not', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const agreed = { handshake: { extensions: 'permessage-deflate' }, answer: { fields: { 'Sec-WebSocket-Extensions': 'permessage-deflate' } } };
  const first = await rig.session(fairlead, backend, agreed);
  first.client.send(Buffer.concat([first.client.build({ fin: false, rsv: 4, payload: 'a' }), first.client.build({ op: Op.continuation, payload: 'b' })]));
  await first.server.expectFrame({ rsv: 4, payload: 'a' });
  await first.server.expectFrame({ op: Op.continuation, rsv: 0, payload: 'b' });
  first.client.send(first.client.build({ op: Op.ping, rsv: 4 }));
  await Promise.all([first.client.expectClosing(1002), first.server.expectClosing(1001)]);

  const second = await rig.session(fairlead, backend, agreed);
  second.client.send(Buffer.concat([second.client.build({ fin: false, rsv: 4, payload: 'a' }), second.client.build({ op: Op.continuation, rsv: 4, payload: 'b' })]));
  await second.server.expectFrame({ rsv: 4, payload: 'a' });
  await Promise.all([second.client.expectClosing(1002), second.server.expectClosing(1001)]);
});

scenario('a Close reason that is not UTF-8: 1007 for who sent it', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const bad = Buffer.concat([closePayload(1000), Buffer.from([0xc3, 0x28])]);
  const first = await rig.session(fairlead, backend);
  first.client.sendFrame({ op: Op.close, payload: bad });
  await Promise.all([first.client.expectClosing(1007), first.server.expectClosing(1001)]);
  await ending(fairlead, { reason: 'client_bad_text' });

  const second = await rig.session(fairlead, backend);
  second.server.sendFrame({ op: Op.close, payload: bad });
  await Promise.all([second.client.expectClosing(1011), second.server.expectClosing(1007)]);
  await ending(fairlead, { reason: 'backend_bad_text' }, 1);
});

// --- Limits of size ---

scenario('max_message: one byte below and the limit itself pass, one above is refused at its header', async (rig) => {
  const { backend, fairlead } = await rig.pair({ websocket: 'max_message = "1KiB"' });
  const { client, server } = await rig.session(fairlead, backend);
  for (const size of [1023, 1024]) {
    client.sendText('x'.repeat(size));
    await server.expectText('x'.repeat(size));
  }
  // Only the header: the refusal does not wait for the payload.
  client.send(client.build({ payload: 'x'.repeat(1025) }).subarray(0, 8));
  const got = await client.expectClose(1009);
  assert.ok(got.reason.length > 0, 'a reason of a few words');
  await server.expectClosing(1009);
  client.end();
  await client.expectEnd();
  await ending(fairlead, { closed_by: 'proxy', reason: 'client_message_too_big' });
});

scenario('max_message counts over the fragments of a message', async (rig) => {
  const { backend, fairlead } = await rig.pair({ websocket: 'max_message = "1KiB"' });
  const { client, server } = await rig.session(fairlead, backend);
  for (let i = 0; i < 3; ++i) {
    client.send(Buffer.concat([client.build({ fin: false, payload: 'x'.repeat(600) }), client.build({ op: Op.ping, payload: 'x'.repeat(100) }), client.build({ op: Op.continuation, payload: 'y'.repeat(424) })]));
    await server.expectFrame({ fin: false, payload: 'x'.repeat(600) });
    await server.expectFrame({ op: Op.ping });
    await server.expectFrame({ op: Op.continuation, payload: 'y'.repeat(424) });
  }
  client.send(Buffer.concat([client.build({ fin: false, payload: 'x'.repeat(600) }), client.build({ op: Op.continuation, payload: 'y'.repeat(425) })]));
  await server.expectFrame({ fin: false, payload: 'x'.repeat(600) });
  await Promise.all([client.expectClosing(1009), server.expectClosing(1009)]);
});

scenario('max_frame: one byte below and the limit itself pass, one above is refused, in either direction', async (rig) => {
  const { backend, fairlead } = await rig.pair({ websocket: 'max_frame = "1KiB"' });
  const first = await rig.session(fairlead, backend);
  for (const size of [1023, 1024]) {
    first.client.sendText('x'.repeat(size));
    await first.server.expectText('x'.repeat(size));
    first.server.sendText('x'.repeat(size));
    await first.client.expectText('x'.repeat(size));
  }
  first.client.sendText('x'.repeat(1025));
  await Promise.all([first.client.expectClosing(1009), first.server.expectClosing(1009)]);
  const second = await rig.session(fairlead, backend);
  second.server.sendText('x'.repeat(1025));
  await Promise.all([second.client.expectClosing(1009), second.server.expectClosing(1009)]);
});

scenario('max_message_from_backend: 1009 for both', async (rig) => {
  const { backend, fairlead } = await rig.pair({ websocket: 'max_message_from_backend = "1KiB"' });
  const { client, server } = await rig.session(fairlead, backend);
  client.sendText('x'.repeat(5000));
  await server.expectText('x'.repeat(5000));
  for (const size of [1023, 1024]) {
    server.sendText('x'.repeat(size));
    await client.expectText('x'.repeat(size));
  }
  server.sendText('x'.repeat(1025));
  await Promise.all([client.expectClosing(1009), server.expectClosing(1009)]);
  await ending(fairlead, { closed_by: 'proxy', reason: 'backend_message_too_big' });
});

scenario('the default max_message is 1 MiB from the client, none from the backend', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const { client, server } = await rig.session(fairlead, backend);
  const mebibyte = 'x'.repeat(1024 * 1024);
  client.sendText(mebibyte);
  await server.expectText(mebibyte);
  server.sendText(`${mebibyte}y`);
  await client.expectText(`${mebibyte}y`);
  client.send(client.build({ payload: `${mebibyte}y` }).subarray(0, 14));
  await Promise.all([client.expectClosing(1009), server.expectClosing(1009)]);
});

// --- Loose ends ---

scenario('with strict = false violations that leave the stream readable pass', async (rig) => {
  const { backend, fairlead } = await rig.pair({ websocket: 'strict = false' });
  const { client, server } = await rig.session(fairlead, backend);
  client.send(frame({ mask: kMask, payload: 'x'.repeat(10), length: 16 }));
  await server.read(18);
  client.sendText('still open');
  await server.expectText('still open');
});

scenario('a backend that closes right after its 101: the client gets the 101 and 1011', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const client = await rig.connect(fairlead);
  const upgraded = client.upgrade();
  const server = await backend.accept();
  await server.acceptUpgrade();
  server.end();
  await upgraded;
  await client.expectClosing(1011);
});

scenario('a client that leaves before the 101: the backend\'s connection ends, the log has one line', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const client = await rig.connect(fairlead);
  client.send(handshakeHead());
  const server = await backend.accept();
  await server.readHead();
  client.abort();
  await server.until(() => server.ended, 'the backend\'s end');
  await fairlead.waitForLog((entry) => entry.reason === 'client_left');
  assert.equal(fairlead.log.length, 1);
});
