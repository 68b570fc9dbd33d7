// How sessions end: the manual's table row by row, with raw peers that see every byte.

import assert from 'node:assert/strict';
import { Op, closePayload, handshakeHead } from './lib/frames.js';
import { ending } from './lib/requests.js';
import { scenario } from './lib/rig.js';

// --- A Close of either side passes ---

scenario(
  "a client's Close passes with its code and reason, and so does the answer",
  async (rig) => {
    const { backend, fairlead } = await rig.pair();
    const codes = [
      1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000,
      4999,
    ];
    for (const [index, code] of codes.entries()) {
      const { client, server } = await rig.session(fairlead, backend);
      client.sendClose(code, 'tschüß');
      await server.expectClose(code, 'tschüß');
      server.sendClose(code, 'tschüß');
      server.end();
      await client.expectClose(code, 'tschüß');
      await client.expectEnd();
      await ending(
        fairlead,
        { close_code: code, close_reason: 'tschüß', closed_by: 'client', reason: 'client_closed' },
        index,
      );
      await server.expectEnd();
    }
  },
);

scenario(
  "a backend's Close passes with its code and reason, and so does the answer",
  async (rig) => {
    const { backend, fairlead } = await rig.pair();
    for (const [index, code] of [1000, 1001, 1003, 1008, 1011, 1013, 4003].entries()) {
      const { client, server } = await rig.session(fairlead, backend);
      server.sendClose(code, 'x'.repeat(123));
      await client.expectClose(code, 'x'.repeat(123));
      client.sendClose(1000);
      await server.expectClose(1000);
      server.end();
      await client.expectEnd();
      await ending(
        fairlead,
        { close_code: code, closed_by: 'backend', reason: 'backend_closed' },
        index,
      );
    }
  },
);

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
  client.send(
    Buffer.concat([
      client.build({ op: Op.close, payload: closePayload(1000) }),
      client.build({ payload: 'too late' }),
    ]),
  );
  await server.expectClose(1000);
  server.sendClose(1000);
  server.end();
  await server.expectEnd();
});

scenario('messages sent before a Close arrive before it', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const { client, server } = await rig.session(fairlead, backend);
  server.send(
    Buffer.concat([
      server.build({ payload: 'a'.repeat(100_000) }),
      server.build({ payload: 'last' }),
      server.build({ op: Op.close, payload: closePayload(1000) }),
    ]),
  );
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
    const [sender, other] =
      side === 'client' ? [session.client, session.server] : [session.server, session.client];
    sender.sendClose(1000);
    await other.expectClose(1000);
    await sender.until(() => sender.ended, "the sender's end", bound);
    await other.until(() => other.ended, "the other's end", bound);
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

scenario(
  "a backend lost within a frame's header: the client gets 1011 and not a byte of it",
  async (rig) => {
    const { backend, fairlead } = await rig.pair();
    const { client, server } = await rig.session(fairlead, backend);
    server.sendText('whole');
    server.send(server.build({ payload: 'x'.repeat(1000) }).subarray(0, 3));
    server.end();
    await client.expectText('whole');
    await client.expectClosing(1011);
  },
);

scenario(
  'a violation of the client while the backend is within a frame: no Close inside that frame',
  async (rig) => {
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
  },
);

scenario(
  'a backend that closes right after its 101: the client gets the 101 and 1011',
  async (rig) => {
    const { backend, fairlead } = await rig.pair();
    const client = await rig.connect(fairlead);
    const upgraded = client.upgrade();
    const server = await backend.accept();
    await server.acceptUpgrade();
    server.end();
    await upgraded;
    await client.expectClosing(1011);
  },
);

scenario(
  "a client that leaves before the 101: the backend's connection ends, the log has one line",
  async (rig) => {
    const { backend, fairlead } = await rig.pair();
    const client = await rig.connect(fairlead);
    client.send(handshakeHead());
    const server = await backend.accept();
    await server.readHead();
    client.abort();
    await server.until(() => server.ended, "the backend's end");
    await fairlead.waitForLog((entry) => entry.reason === 'client_left');
    assert.equal(fairlead.log.length, 1);
  },
);
