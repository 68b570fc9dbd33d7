// The client's side: redirects, PROXY headers, TLS, unix sockets, slow clients.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { moment } from './lib/deadline.js';
import { handshakeHead } from './lib/frames.js';
import { get, http } from './lib/plain.js';
import { scenario } from './lib/rig.js';

// --- Redirect ---

scenario('redirect_to_https answers every request with 308', async (rig) => {
  const { backend, fairlead } = await rig.pair({ listener: 'redirect_to_https = true' });
  const client = await rig.connect(fairlead);
  for (const bytes of [get('/a/b?x=1'), handshakeHead({ path: '/a/b?x=1' })]) {
    const answer = await client.request(bytes);
    assert.equal(answer.status, 308);
    assert.equal(answer.head.get('location'), 'https://chat.example.com/a/b?x=1');
  }
  assert.equal(backend.dialled, 0);
});

// --- PROXY protocol ---

const kProxy = 'proxy_protocol = true\ntrusted_proxies = ["127.0.0.1/32"]';

function proxyV2(source, destination, sourcePort, destinationPort, command = 1) {
  const head = Buffer.from([
    0x0d,
    0x0a,
    0x0d,
    0x0a,
    0x00,
    0x0d,
    0x0a,
    0x51,
    0x55,
    0x49,
    0x54,
    0x0a,
    0x20 | command,
    command ? 0x11 : 0x00,
    0,
    command ? 12 : 0,
  ]);
  if (!command) return head;
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(sourcePort, 0);
  ports.writeUInt16BE(destinationPort, 2);
  const bytes = (ip) => Buffer.from(ip.split('.').map(Number));
  return Buffer.concat([head, bytes(source), bytes(destination), ports]);
}

// Who the client is although its X-Forwarded-For says 198.51.100.1: nobody is trusted here but the balancer
// itself, which speaks for itself with LOCAL.
const kProxyHeaders = {
  'version 1': ['PROXY TCP4 203.0.113.7 192.0.2.1 56324 443\r\n', '203.0.113.7'],
  'version 1 with IPv6': ['PROXY TCP6 2001:db8::7 2001:db8::1 56324 443\r\n', '2001:db8::7'],
  'version 1, UNKNOWN': ['PROXY UNKNOWN\r\n', '127.0.0.1'],
  'version 2': [proxyV2('203.0.113.7', '192.0.2.1', 56324, 443), '203.0.113.7'],
  'version 2, LOCAL': [proxyV2('', '', 0, 0, 0), '198.51.100.1'],
};

scenario('a PROXY header of a trusted peer says who the client is', async (rig) => {
  const { backend, fairlead } = await rig.pair({ listener: kProxy });
  for (const [what, [header, ip]] of Object.entries(kProxyHeaders)) {
    const client = await rig.connect(fairlead);
    const upgraded = (async () => {
      // In one packet with the request.
      client.send(
        Buffer.concat([
          Buffer.from(header),
          Buffer.from(
            handshakeHead({
              fields: {
                'X-Request-Id': what.replace(/\W/g, ''),
                'X-Forwarded-For': '198.51.100.1',
              },
            }),
          ),
        ]),
      );
      return client.readHead();
    })();
    const server = await backend.accept();
    const request = await server.acceptUpgrade();
    assert.equal((await upgraded).status, 101, what);
    assert.equal(request.get('x-real-ip'), ip, what);
    const list = ip === '198.51.100.1' ? `${ip}, 127.0.0.1` : ip;
    assert.equal(request.all('x-forwarded-for').join(', '), list, what);
    const entry = await fairlead.waitForLog(
      (one) => one.event === 'open' && one.request_id === what.replace(/\W/g, ''),
    );
    assert.equal(entry.client_ip, ip, what);
  }
});

scenario('a PROXY header may arrive byte by byte, before TLS', async (rig) => {
  const { backend, fairlead } = await rig.pair({ listener: kProxy });
  const client = await rig.connect(fairlead);
  for (const byte of Buffer.from(`PROXY TCP4 203.0.113.7 192.0.2.1 1 2\r\n${handshakeHead()}`))
    await client.send(Buffer.from([byte]));
  const server = await backend.accept();
  assert.equal((await server.acceptUpgrade()).get('x-real-ip'), '203.0.113.7');

  const second = await rig.pair({ listener: kProxy, tls: rig.certificate().toml });
  const socket = net.connect(second.fairlead.port, '127.0.0.1');
  socket.write('PROXY TCP4 203.0.113.8 192.0.2.1 1 2\r\n');
  const secure = await rig.connect(second.fairlead, { tlsOptions: { socket }, target: {} });
  secure.send(handshakeHead());
  const secureServer = await second.backend.accept();
  const request = await secureServer.acceptUpgrade();
  assert.deepEqual(
    [request.get('x-real-ip'), request.get('x-forwarded-proto')],
    ['203.0.113.8', 'https'],
  );
});

scenario('a missing or broken PROXY header ends the connection without an answer', async (rig) => {
  const { backend, fairlead } = await rig.pair({ listener: kProxy });
  for (const bytes of [
    get('/'),
    'PROXY TCP4 203.0.113.7\r\n',
    'PROXY TCP4 203.0.113.777 192.0.2.1 1 2\r\n',
    `PROXY TCP4 ${'1'.repeat(200)}`,
  ]) {
    const client = await rig.connect(fairlead);
    client.send(bytes);
    await client.expectEnd();
  }
  assert.equal(backend.dialled, 0);
});

scenario('a peer that is not trusted is refused where a PROXY header is expected', async (rig) => {
  const { backend, fairlead } = await rig.pair({
    listener: 'proxy_protocol = true\ntrusted_proxies = ["10.0.0.0/8"]',
  });
  const client = await rig.connect(fairlead);
  client.send(`PROXY TCP4 203.0.113.7 192.0.2.1 1 2\r\n${get('/')}`);
  await client.expectEnd();
  assert.equal(backend.dialled, 0);
});

scenario('a PROXY header where none is expected is a malformed request', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  const client = await rig.connect(fairlead);
  const answer = await client.request(`PROXY TCP4 203.0.113.7 192.0.2.1 1 2\r\n${get('/')}`);
  assert.equal(answer.status, 400);
  assert.equal(backend.dialled, 0);
});

// --- Unix sockets ---

scenario('a unix socket listens like a port', async (rig) => {
  const socket = path.join(rig.directory(), 'front.sock');
  const { backend, fairlead } = await rig.pair({ address: `unix:${socket}` });
  const { client, server } = await rig.session(fairlead, backend, {
    connect: { target: { path: socket } },
  });
  client.sendText('hello');
  await server.expectText('hello');
});

scenario('two listeners serve at once', async (rig) => {
  const backend = await http(rig);
  const fairlead = await rig.run({
    servers: [backend.address],
    more: '[[listener]]\naddress = "127.0.0.1:0"\nredirect_to_https = true\n',
  });
  assert.equal((await (await rig.connect(fairlead)).request(get('/x'))).body, '/x');
  assert.equal(
    (await (await rig.connect(fairlead, { listener: 1 })).request(get('/x'))).status,
    308,
  );
});

// --- TLS ---

scenario('TLS 1.2 and 1.3 are spoken', async (rig) => {
  const { backend, fairlead } = await rig.pair({ tls: rig.certificate().toml });
  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    const { client, server } = await rig.session(fairlead, backend, {
      connect: {
        tlsOptions: { minVersion: version, maxVersion: version, servername: 'chat.example.com' },
      },
    });
    assert.equal(client.socket.getProtocol(), version);
    client.sendText(version);
    await server.expectText(version);
  }
});

scenario('min_version = "1.3" refuses TLS 1.2, and TLS 1.1 never passes', async (rig) => {
  const certificate = rig.certificate().toml;
  const { fairlead } = await rig.pair({ tls: `${certificate}\nmin_version = "1.3"` });
  await assert.rejects(rig.connect(fairlead, { tlsOptions: { maxVersion: 'TLSv1.2' } }));
  await rig.connect(fairlead, { tlsOptions: { minVersion: 'TLSv1.3' } });
  const second = await rig.pair({ tls: certificate });
  await assert.rejects(
    rig.connect(second.fairlead, {
      tlsOptions: { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
    }),
  );
});

scenario('the certificate is the configured one, its key proved', async (rig) => {
  const certificate = rig.certificate();
  const { fairlead } = await rig.pair({ tls: certificate.toml });
  const client = await rig.connect(fairlead, {
    tlsOptions: {
      rejectUnauthorized: true,
      ca: fs.readFileSync(certificate.cert),
      servername: 'chat.example.com',
    },
  });
  assert.ok(client.socket.authorized);
});

scenario('plain HTTP on the TLS port ends that connection only', async (rig) => {
  const backend = await http(rig);
  const fairlead = await rig.run({ servers: [backend.address], tls: rig.certificate().toml });
  const plain = await rig.connect(fairlead);
  plain.send(get('/'));
  const bytes = await plain.readAll();
  assert.ok(!bytes.toString().startsWith('HTTP/1.1 200'));
  const secure = await rig.connect(fairlead, { tlsOptions: {} });
  assert.equal((await secure.request(get('/fine'))).body, '/fine');
  assert.equal(backend.dialled, 1);
});

scenario('a TLS handshake that does not come is given up', async (rig) => {
  const { fairlead } = await rig.pair({
    tls: rig.certificate().toml,
    timeouts: 'tls_handshake = "300ms"',
  });
  const silent = await rig.connect(fairlead);
  await silent.until(() => silent.ended, 'the end of the silent one');
});

scenario('a session over TLS ends with close_notify', async (rig) => {
  const { backend, fairlead } = await rig.pair({ tls: rig.certificate().toml });
  const { client, server } = await rig.session(fairlead, backend, { connect: { tlsOptions: {} } });
  client.sendClose(1000);
  await server.expectClose(1000);
  server.sendClose(1000);
  server.end();
  await client.expectClose(1000);
  // Node reports an end without close_notify as a closed socket with no 'end' event.
  let notified = false;
  client.socket.on('end', () => {
    notified = true;
  });
  notified ||= client.socket.readableEnded;
  await client.expectEnd();
  await moment(20);
  assert.ok(notified, 'close_notify');
});

// --- Slow clients ---

scenario('a head that does not come in time is answered 408, however it trickles', async (rig) => {
  const { backend, fairlead } = await rig.pair({ timeouts: 'request_head = "400ms"' });
  const half = await rig.connect(fairlead);
  const answer = await half.request('GET / HTTP/1.1\r\nHost: chat');
  assert.equal(answer.status, 408);
  assert.ok(answer.body.includes('head_timeout'), answer.body);
  await half.expectEnd();

  const trickle = await rig.connect(fairlead);
  trickle.send('GET / HTTP/1.1\r\nX: ');
  const timer = setInterval(() => trickle.send('a'), 50);
  rig.defer(() => clearInterval(timer));
  assert.equal((await trickle.readAnswer()).status, 408);
  clearInterval(timer);
  assert.equal(backend.dialled, 0);
});

scenario('the first connection after a long silence has all of its time', async (rig) => {
  const backend = await http(rig);
  const fairlead = await rig.run({
    servers: [backend.address],
    timeouts: 'request_head = "1s"\nconnect = "1s"\nresponse_head = "1s"',
  });
  await moment(1_500);
  for (let i = 0; i < 4; ++i) {
    // more than there are workers
    const client = await rig.connect(fairlead);
    client.send(get('/x').slice(0, 20));
    await moment(50);
    client.send(get('/x').slice(20));
    assert.equal((await client.readAnswer()).status, 200);
  }
});

scenario('an idle keep-alive connection ends after `keepalive`', async (rig) => {
  const backend = await http(rig);
  const fairlead = await rig.run({ servers: [backend.address], timeouts: 'keepalive = "300ms"' });
  const client = await rig.connect(fairlead);
  assert.equal((await client.request(get('/x'))).body, '/x');
  await client.expectEnd();
});
