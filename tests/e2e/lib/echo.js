// A backend that agrees to handshakes, says who it is, echoes frames and answers requests.

import { Op } from './frames.js';

const kEver = 3_600_000; // the scenario has a deadline

// The head that asks for an upgrade; what comes before is answered with the name.
async function handshake(peer, name) {
  for (;;) {
    const request = await peer.readHead(kEver);
    if (request.get('upgrade')) return request;
    peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${name.length}\r\n\r\n${name}`);
  }
}

async function serve(peer, name) {
  peer.answer101(await handshake(peer, name), { 'X-Server': name });
  for (;;) {
    const got = await peer.nextFrame(kEver);
    if (got === null) return;
    await peer.sendFrame({ op: got.op, payload: got.payload });
    if (got.op === Op.close) return peer.end();
  }
}

export const echo = (rig, name) =>
  rig.backend({ onPeer: (peer) => serve(peer, name).catch(() => peer.destroy()) });
