// WebSocket frames and the opening handshake by hand, valid or not (RFC 6455 4, 5).

import { createHash, randomBytes } from 'node:crypto';

export const Op = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

export const acceptKey = (key) =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

export const makeKey = () => randomBytes(16).toString('base64');

// Builds one frame. `mask`: false, true (a random key) or four bytes. `length`: 7, 16 or 64 forces that form
// of the length field; `declared` lies about the length.
export function frame({
  fin = true,
  rsv = 0,
  op = Op.text,
  payload = '',
  mask = false,
  length,
  declared,
}) {
  const data = Buffer.from(payload);
  const size = BigInt(declared ?? data.length);
  const form = length ?? (size < 126n ? 7 : size < 65536n ? 16 : 64);
  const head = Buffer.alloc(form === 7 ? 2 : form === 16 ? 4 : 10);
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | op;
  head[1] = mask ? 0x80 : 0;
  if (form === 7) {
    head[1] |= Number(size);
  } else if (form === 16) {
    head[1] |= 126;
    head.writeUInt16BE(Number(size), 2);
  } else {
    head[1] |= 127;
    head.writeBigUInt64BE(size, 2);
  }
  if (!mask) return Buffer.concat([head, data]);
  const key = mask === true ? randomBytes(4) : Buffer.from(mask);
  return Buffer.concat([head, key, applyMask(data, key)]);
}

export function applyMask(data, key) {
  const out = Buffer.alloc(data.length);
  for (let i = 0; i < data.length; ++i) out[i] = data[i] ^ key[i & 3];
  return out;
}

// A Close frame's payload; no code: empty.
export function closePayload(code, reason = '') {
  if (code === undefined) return Buffer.alloc(0);
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return Buffer.concat([head, Buffer.from(reason)]);
}

// The first frame in `bytes`, or null while it is incomplete. `size` is what it takes on the wire.
export function parseFrame(bytes) {
  if (bytes.length < 2) return null;
  const masked = (bytes[1] & 0x80) !== 0;
  let length = bytes[1] & 0x7f;
  let at = 2;
  if (length === 126) {
    if (bytes.length < 4) return null;
    length = bytes.readUInt16BE(2);
    at = 4;
  } else if (length === 127) {
    if (bytes.length < 10) return null;
    length = Number(bytes.readBigUInt64BE(2));
    at = 10;
  }
  if (bytes.length < at + (masked ? 4 : 0) + length) return null;
  const key = masked ? bytes.subarray(at, at + 4) : null;
  if (masked) at += 4;
  const raw = bytes.subarray(at, at + length);
  const payload = masked ? applyMask(raw, key) : Buffer.from(raw);
  const op = bytes[0] & 0x0f;
  const parsed = {
    fin: (bytes[0] & 0x80) !== 0,
    rsv: (bytes[0] >> 4) & 7,
    op,
    masked,
    payload,
    size: at + length,
    wire: Buffer.from(bytes.subarray(0, at + length)),
  };
  if (op === Op.close) {
    parsed.code = length >= 2 ? payload.readUInt16BE(0) : undefined;
    parsed.reason = payload.subarray(2).toString();
  }
  return parsed;
}

// A handshake's head. `fields` replace or, with the value null, remove the usual ones; `extra` is appended as it is.
export function handshakeHead({
  path = '/',
  host = 'chat.example.com',
  key = makeKey(),
  protocol,
  extensions,
  fields = {},
  extra = [],
} = {}) {
  const all = {
    Host: host,
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': key,
    ...(protocol ? { 'Sec-WebSocket-Protocol': protocol } : {}),
    ...(extensions ? { 'Sec-WebSocket-Extensions': extensions } : {}),
    ...fields,
  };
  const lines = Object.entries(all)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}: ${value}`);
  return `${[`GET ${path} HTTP/1.1`, ...lines, ...extra].join('\r\n')}\r\n\r\n`;
}
