// A small Engine.IO server (protocol 4, and version 3's framing on request) that speaks just enough: it
// opens sessions by polling, answers polls and upgrades of sessions it knows, and refuses those it does
// not know, as the real one does: 400 with "Session ID unknown".

import { acceptKey } from './frames.js';

const answer = (status, body, fields = []) =>
  `${[
    `HTTP/1.1 ${status} X`,
    'Content-Type: text/plain; charset=UTF-8',
    'Connection: close',
    ...fields,
  ].join('\r\n')}\r\n\r\n${body}`;

// options.chunked: the handshake's body comes in chunks of three bytes. options.zip: it pretends to be
// compressed. options.next: makes the sids.
export async function engine(rig, options = {}) {
  const server = await rig.backend({
    port: options.port,
    onPeer: (peer) => serve(server, peer, options).catch(() => {}),
  });
  server.sids = new Set();
  server.polled = 0;
  server.upgraded = 0;
  return server;
}

async function serve(server, peer, options) {
  const request = await peer.readHead();
  const query = new URL(request.target, 'http://x').searchParams;
  const sid = query.get('sid');
  if (sid === null) {
    peer.send(opening(server, query, options));
    return peer.end();
  }
  if (!server.sids.has(sid)) {
    const body = '{"code":1,"message":"Session ID unknown"}';
    peer.send(answer(400, body, [`Content-Length: ${body.length}`]));
    return peer.end();
  }
  if (query.get('transport') === 'websocket') {
    server.upgraded += 1;
    peer.send(
      `HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Server: ${server.address}\r\n` +
        `Sec-WebSocket-Accept: ${acceptKey(request.get('sec-websocket-key'))}\r\n\r\n`,
    );
    return undefined;
  }
  server.polled += 1;
  peer.send(answer(200, '2', ['Content-Length: 1', `X-Server: ${server.address}`]));
  return peer.end();
}

function opening(server, query, { chunked = false, zip = false, next }) {
  const sid = next();
  server.sids.add(sid);
  const open = `0{"sid":"${sid}","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000}`;
  const body = query.get('EIO') === '3' ? `${open.length}:${open}2:40` : open;
  const fields = [`X-Server: ${server.address}`, ...(zip ? ['Content-Encoding: gzip'] : [])];
  if (!chunked) return answer(200, body, [...fields, `Content-Length: ${body.length}`]);
  const chunks = body.match(/.{1,3}/g).map((one) => `${one.length.toString(16)}\r\n${one}\r\n`);
  return answer(200, `${chunks.join('')}0\r\n\r\n`, [...fields, 'Transfer-Encoding: chunked']);
}
