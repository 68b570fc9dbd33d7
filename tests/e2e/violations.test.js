// What a peer may not send, and how large: each breach ends the session with the right code for either side.

import assert from 'node:assert/strict';
import { Op, closePayload, frame } from './lib/frames.js';
import { ending } from './lib/requests.js';
import { scenario } from './lib/rig.js';

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
  "the other direction's mask bit": frame({ mask: mask ? false : kMask, payload: 'a' }),
  'a continuation of nothing': frame({ mask, op: Op.continuation, payload: 'a' }),
  'a new message within a message': Buffer.concat([
    frame({ mask, fin: false, payload: 'a' }),
    frame({ mask, payload: 'b' }),
  ]),
  'a length of 125 in 16 bits': frame({ mask, payload: 'x'.repeat(125), length: 16 }),
  'a length of 65535 in 64 bits': frame({ mask, payload: 'x'.repeat(65535), length: 64 }),
  'a length with its top bit set': frame({
    mask,
    payload: 'a',
    length: 64,
    declared: 0x8000000000000001n,
  }),
  'a close payload of one byte': frame({ mask, op: Op.close, payload: 'a' }),
  ...Object.fromEntries(
    [0, 1, 999, 1005, 1006, 1015, 5000, 65535].map((code) => [
      `close code ${code}`,
      frame({ mask, op: Op.close, payload: closePayload(code) }),
    ]),
  ),
});

scenario(
  'each protocol violation of a client: 1002 for it, 1001 for the backend, nothing forwarded',
  async (rig) => {
    const { backend, fairlead } = await rig.pair({ websocket: 'max_message = "off"' });
    for (const [index, [what, bytes]] of Object.entries(violations(kMask)).entries()) {
      try {
        const { client, server } = await rig.session(fairlead, backend);
        client.send(Buffer.concat([client.build({ payload: 'good' }), bytes]));
        await server.expectText('good');
        if (what === 'a new message within a message')
          await server.expectFrame({ fin: false, payload: 'a' });
        await Promise.all([client.expectClosing(1002), server.expectClosing(1001)]);
        await ending(fairlead, { closed_by: 'proxy', reason: 'client_protocol_error' }, index);
      } catch (error) {
        error.message = `${what}: ${error.message}`;
        throw error;
      }
    }
  },
);

scenario(
  'each protocol violation of a backend: 1002 for it, 1011 for the client, nothing forwarded',
  async (rig) => {
    const { backend, fairlead } = await rig.pair();
    for (const [index, [what, bytes]] of Object.entries(violations(false)).entries()) {
      try {
        const { client, server } = await rig.session(fairlead, backend);
        server.send(Buffer.concat([server.build({ payload: 'good' }), bytes]));
        await client.expectText('good');
        if (what === 'a new message within a message')
          await client.expectFrame({ fin: false, payload: 'a' });
        await Promise.all([client.expectClosing(1011), server.expectClosing(1002)]);
        await ending(fairlead, { closed_by: 'proxy', reason: 'backend_protocol_error' }, index);
      } catch (error) {
        error.message = `${what}: ${error.message}`;
        throw error;
      }
    }
  },
);

scenario(
  'RSV1 passes on the first frame of a message where permessage-deflate was agreed, elsewhere not',
  async (rig) => {
    const { backend, fairlead } = await rig.pair();
    const agreed = {
      handshake: { extensions: 'permessage-deflate' },
      answer: { fields: { 'Sec-WebSocket-Extensions': 'permessage-deflate' } },
    };
    const first = await rig.session(fairlead, backend, agreed);
    first.client.send(
      Buffer.concat([
        first.client.build({ fin: false, rsv: 4, payload: 'a' }),
        first.client.build({ op: Op.continuation, payload: 'b' }),
      ]),
    );
    await first.server.expectFrame({ rsv: 4, payload: 'a' });
    await first.server.expectFrame({ op: Op.continuation, rsv: 0, payload: 'b' });
    first.client.send(first.client.build({ op: Op.ping, rsv: 4 }));
    await Promise.all([first.client.expectClosing(1002), first.server.expectClosing(1001)]);

    const second = await rig.session(fairlead, backend, agreed);
    second.client.send(
      Buffer.concat([
        second.client.build({ fin: false, rsv: 4, payload: 'a' }),
        second.client.build({ op: Op.continuation, rsv: 4, payload: 'b' }),
      ]),
    );
    await second.server.expectFrame({ rsv: 4, payload: 'a' });
    await Promise.all([second.client.expectClosing(1002), second.server.expectClosing(1001)]);
  },
);

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

scenario(
  'max_message: one byte below and the limit itself pass, one above is refused at its header',
  async (rig) => {
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
  },
);

scenario('max_message counts over the fragments of a message', async (rig) => {
  const { backend, fairlead } = await rig.pair({ websocket: 'max_message = "1KiB"' });
  const { client, server } = await rig.session(fairlead, backend);
  for (let i = 0; i < 3; ++i) {
    client.send(
      Buffer.concat([
        client.build({ fin: false, payload: 'x'.repeat(600) }),
        client.build({ op: Op.ping, payload: 'x'.repeat(100) }),
        client.build({ op: Op.continuation, payload: 'y'.repeat(424) }),
      ]),
    );
    await server.expectFrame({ fin: false, payload: 'x'.repeat(600) });
    await server.expectFrame({ op: Op.ping });
    await server.expectFrame({ op: Op.continuation, payload: 'y'.repeat(424) });
  }
  client.send(
    Buffer.concat([
      client.build({ fin: false, payload: 'x'.repeat(600) }),
      client.build({ op: Op.continuation, payload: 'y'.repeat(425) }),
    ]),
  );
  await server.expectFrame({ fin: false, payload: 'x'.repeat(600) });
  await Promise.all([client.expectClosing(1009), server.expectClosing(1009)]);
});

scenario(
  'max_frame: one byte below and the limit itself pass, one above is refused, in either direction',
  async (rig) => {
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
  },
);

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

scenario('with strict = false violations that leave the stream readable pass', async (rig) => {
  const { backend, fairlead } = await rig.pair({ websocket: 'strict = false' });
  const { client, server } = await rig.session(fairlead, backend);
  client.send(frame({ mask: kMask, payload: 'x'.repeat(10), length: 16 }));
  await server.read(18);
  client.sendText('still open');
  await server.expectText('still open');
});
