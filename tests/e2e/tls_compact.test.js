// `compact = true`: TLS 1.3 clients that leave OpenSSL behind after the handshake, and TLS 1.2 clients that do not.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import net from 'node:net';
import { Changes, within } from './lib/deadline.js';
import { handshakeHead } from './lib/frames.js';
import { havePython, pythonClient, pythonServer } from './lib/python.js';
import { scenario } from './lib/rig.js';
import { Client, random, sha, wsServer } from './lib/sockets.js';

const kSuites = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
];

function compact(rig) {
  return { tls: `${rig.certificate().toml}\ncompact = true` };
}

// openssl s_client with a line for each thing it is to send.
class SClient {
  output = '';
  ended = false;
  #changes = new Changes();

  constructor(rig, args) {
    this.child = spawn('openssl', ['s_client', ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    rig.keep({ destroy: () => this.child.kill('SIGKILL') });
    this.child.stdin.on('error', () => {});
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding('latin1').on('data', (text) => {
        this.output += text;
        this.#changes.touch();
      });
    }
    this.child.on('close', () => {
      this.ended = true;
      this.#changes.touch();
    });
  }

  send(text) {
    this.child.stdin.write(text);
  }

  until(text, times = 1) {
    return this.#changes.until(
      () => this.output.split(text).length > times,
      () => `${text} in: ${this.output.slice(-2000)}`,
    );
  }
}

scenario('every suite of TLS 1.3, and TLS 1.2, with small and large messages', async (rig) => {
  const server = await wsServer(rig);
  const fairlead = await rig.run({
    servers: [server.address],
    websocket: 'max_message = "off"',
    ...compact(rig),
  });
  const options = [
    ...kSuites.map((ciphers) => ({ minVersion: 'TLSv1.3', ciphers })),
    { maxVersion: 'TLSv1.2' },
  ];
  for (const option of options) {
    const client = await Client.open(rig, `wss://127.0.0.1:${fairlead.port}/`, [], option);
    let n = 0;
    for (const size of [0, 1, 125, 16_384, 16_385, 70_000, 3_000_000]) {
      const bytes = random(size);
      client.send(bytes);
      assert.equal(sha((await client.message(n++)).data), sha(bytes));
    }
    client.close(1000);
    await client.untilClosed();
  }
});

scenario('many messages at once, both ways', async (rig) => {
  const server = await wsServer(rig);
  const fairlead = await rig.run({ servers: [server.address], ...compact(rig) });
  const clients = [];
  for (let i = 0; i < 20; ++i)
    clients.push(await Client.open(rig, `wss://127.0.0.1:${fairlead.port}/`));
  const kEach = 100;
  const sent = clients.map(() => Array.from({ length: kEach }, (_, i) => random(i * 97)));
  for (let i = 0; i < kEach; ++i) clients.forEach((client, who) => client.send(sent[who][i]));
  for (const [who, client] of clients.entries()) {
    await client.message(kEach - 1);
    client.messages.forEach((message, i) => assert.ok(message.data.equals(sent[who][i])));
  }
});

scenario('sessions are resumed', async (rig) => {
  const { fairlead, backend } = await rig.pair(compact(rig));
  let session;
  for (let round = 0; round < 3; ++round) {
    const { client, server } = await rig.session(fairlead, backend, {
      connect: { tlsOptions: { minVersion: 'TLSv1.3', session } },
    });
    assert.equal(client.socket.isSessionReused(), round > 0);
    client.sendText('hello');
    await server.expectText('hello');
    server.sendText('and back');
    await client.expectText('and back');
    session = client.socket.getSession(); // its ticket came before the data
  }
});

scenario('a session ends with close_notify', async (rig) => {
  const { backend, fairlead } = await rig.pair(compact(rig));
  const { client, server } = await rig.session(fairlead, backend, { connect: { tlsOptions: {} } });
  let clean = false;
  client.socket.on('end', () => {
    clean = true;
  });
  client.sendClose(1000);
  await server.expectClose(1000);
  server.sendClose(1000);
  server.end();
  await client.expectClose(1000);
  await client.until(() => client.ended, 'the end');
  assert.ok(clean, 'an end with close_notify');
});

scenario('the access log tells the version as ever', async (rig) => {
  const { backend, fairlead } = await rig.pair(compact(rig));
  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    const { client, server } = await rig.session(fairlead, backend, {
      connect: { tlsOptions: { minVersion: version, maxVersion: version } },
    });
    client.abort();
    server.end();
    await fairlead.waitForLog((one) => one.event === 'close' && one.tls === version);
  }
});

scenario('key updates from openssl s_client, asking and not', async (rig) => {
  const { backend, fairlead } = await rig.pair(compact(rig));
  const client = new SClient(rig, [
    '-connect',
    `127.0.0.1:${fairlead.port}`,
    '-tls1_3',
    '-servername',
    'chat.example.com',
  ]);
  await client.until('Verify return code');
  client.send(handshakeHead({}));
  const server = await backend.accept();
  await server.acceptUpgrade();
  await client.until('101 Switching Protocols');
  // A line that is K or k alone is s_client's command: a key update that asks for one back, or not.
  for (const [i, command] of ['K', 'k', 'K', 'K', 'k'].entries()) {
    client.send(`${command}\n`);
    await client.until('KEYUPDATE', i + 1);
    server.sendText(`down ${i}`);
    await client.until(`down ${i}`);
  }
  assert.ok(!client.ended);
});

scenario('a record that no key made ends that session only', async (rig) => {
  const { backend, fairlead } = await rig.pair(compact(rig));
  const good = await rig.session(fairlead, backend, { connect: { tlsOptions: {} } });
  const below = net.connect({ host: '127.0.0.1', port: fairlead.port, allowHalfOpen: true });
  rig.keep({ destroy: () => below.destroy() });
  await within(new Promise((resolve) => below.once('connect', resolve)), 'connected');
  const bad = await rig.session(fairlead, backend, { connect: { tlsOptions: { socket: below } } });
  bad.client.sendText('so far so good');
  await bad.server.expectText('so far so good');
  below.write(Buffer.concat([Buffer.from([0x17, 3, 3, 0, 64]), random(64)]));
  await bad.client.until(() => bad.client.ended, 'the end of the broken one');
  assert.match(String(bad.client.error), /bad record mac/i); // told by our alert
  good.client.sendText('still here');
  await good.server.expectText('still here');
});

scenario(
  'python-websockets speaks TLS 1.3 through it',
  { skip: !havePython && 'python3-websockets is not installed' },
  async (rig) => {
    const fairlead = await rig.run({ servers: [await pythonServer(rig)], ...compact(rig) });
    const found = await pythonClient(rig, `wss://127.0.0.1:${fairlead.port}/`);
    assert.ok(found.same && found.ponged);
    assert.deepEqual(found.close, [4001, 'enough']);
  },
);
