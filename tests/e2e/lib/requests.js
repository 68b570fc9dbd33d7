// Requests as text, and what is expected of the answers to them.

import assert from 'node:assert/strict';
import { handshakeHead } from './frames.js';

export const get = (path = '/', lines = []) =>
  `${[`GET ${path} HTTP/1.1`, 'Host: chat.example.com', ...lines].join('\r\n')}\r\n\r\n`;

// Sends the bytes on a connection of their own: the answer, after the checks every own answer must pass.
export async function refused(rig, fairlead, bytes, status, word, { close = false, connect } = {}) {
  const client = await rig.connect(fairlead, connect);
  const answer = await client.request(bytes);
  assert.equal(answer.status, status, `${JSON.stringify(bytes)}: ${answer.head.text}`);
  if (word) assert.ok(answer.body.includes(word), `the body names ${word}: ${answer.body}`);
  assert.ok(answer.head.get('x-request-id'), 'X-Request-Id');
  if (close) await client.expectEnd();
  client.destroy();
  return answer;
}

// A handshake on a new connection: the answer's status. With 101 the session is ended.
export async function statusOf(rig, fairlead, options) {
  const client = await rig.connect(fairlead);
  client.send(handshakeHead(options));
  const head = await client.readHead();
  client.destroy();
  return head.status;
}

// A backend that agrees to every handshake.
export const agreeing = (rig, fields) =>
  rig.backend({ onPeer: (peer) => peer.acceptUpgrade({ fields }).catch(() => {}) });

// What the log says of the (next) session that ended.
export async function ending(fairlead, want, index = 0) {
  await fairlead.until(
    () => fairlead.log.filter((entry) => entry.event === 'close').length > index,
    `session ${index} in the log`,
  );
  const entry = fairlead.log.filter((one) => one.event === 'close')[index];
  for (const [name, value] of Object.entries(want))
    assert.equal(entry[name], value, `${name} in ${JSON.stringify(entry)}`);
  return entry;
}
