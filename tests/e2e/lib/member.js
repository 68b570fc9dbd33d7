// A server whose health is in the test's hand: it agrees to handshakes (X-Server says who it is), answers Pings
// and Closes, and plain requests with `state.status`. As a program it prints its address, to be stopped and killed.

import { fileURLToPath } from 'node:url';
import { spawn } from 'node:child_process';
import { within } from './deadline.js';
import { Op } from './frames.js';
import { RawBackend } from './backend.js';

const isCheck = (head) => head.get('user-agent') === 'Fairlead-Health';

// state: { status, pongs (false: Pings stay unanswered), accept (another Sec-WebSocket-Accept) }; it learns
// { checks: heads of checks, frames: of the last WebSocket check, served: sessions, sessions: their peers }.
async function serve(peer, state, address) {
  const head = await peer.readHead();
  const check = isCheck(head);
  if (check) state.checks.push(head);
  if (!head.get('upgrade')) {
    peer.send(`HTTP/1.1 ${state.status} Whatever\r\nContent-Length: 0\r\n\r\n`);
    return peer.end();
  }
  if (!check) {
    state.served += 1;
    state.sessions.push(peer);
  }
  const fields = { 'X-Server': address };
  const protocol = head.get('sec-websocket-protocol');
  if (protocol) fields['Sec-WebSocket-Protocol'] = protocol;
  if (state.accept) fields['Sec-WebSocket-Accept'] = state.accept;
  // A greeting, as many protocols have it: a check must not stumble over it.
  peer.answer101(head, fields, check ? peer.build({ payload: 'welcome' }) : '');
  if (check) state.frames = [];
  for (;;) {
    const got = await peer.nextFrame(3_600_000);
    if (check && got) state.frames.push(got);
    if (got === null) return peer.end();
    if (got.op === Op.ping && state.pongs)
      peer.sendFrame({ op: Op.pong, payload: got.payload });
    if (got.op === Op.text) peer.sendFrame({ payload: got.payload });
    if (got.op === Op.close) {
      peer.sendFrame({ op: Op.close, payload: got.payload });
      return peer.end();
    }
  }
}

// In this process: a RawBackend with `state`.
export async function member(rig, options = {}) {
  const state = { status: 200, pongs: true, checks: [], frames: [], served: 0, sessions: [] };
  const backend = await RawBackend.listen(rig, {
    ...options,
    onPeer: (peer) => serve(peer, state, backend.address).catch(() => {}),
  });
  backend.state = state;
  return backend;
}

// In a process of its own: { address, child }.
export async function memberProcess(rig) {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  rig.keep({ destroy: () => child.kill('SIGKILL') });
  const line = await within(
    new Promise((resolve, reject) => {
      child.stdout.once('data', resolve);
      child.once('exit', () => reject(new Error('the server ended')));
    }),
    'the server listens',
  );
  return { address: line.toString().trim(), child };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const alone = { keep: (one) => one, defer: () => {} };
  console.log((await member(alone)).address);
}
