// A VNC server of one picture: RFB 3.8 without a password (RFC 6143), over TCP. It notes keys pressed.

import net from 'node:net';
import { Changes } from '../../e2e/lib/deadline.js';

export const kWidth = 64;
export const kHeight = 48;

// Reads exactly as many bytes as each step asks for.
async function* reader(socket) {
  let bytes = Buffer.alloc(0);
  let want = yield;
  try {
    for await (const part of socket) {
      bytes = Buffer.concat([bytes, part]);
      while (bytes.length >= want) {
        const got = bytes.subarray(0, want);
        bytes = bytes.subarray(want);
        want = yield got;
      }
    }
  } catch {
    // the client left
  }
}

function serverInit(name) {
  const head = Buffer.alloc(24);
  head.writeUInt16BE(kWidth, 0);
  head.writeUInt16BE(kHeight, 2);
  // 32 bits a pixel, depth 24, little-endian, true colour, red 16, green 8, blue 0.
  Buffer.from([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0]).copy(head, 4);
  head.writeUInt32BE(name.length, 20);
  return Buffer.concat([head, Buffer.from(name)]);
}

// The whole picture in one raw rectangle; `pixel` in the client's format, which noVNC sets to R, G, B, 0.
function update([red, green, blue]) {
  const head = Buffer.alloc(16);
  head.writeUInt16BE(1, 2);
  head.writeUInt16BE(kWidth, 8);
  head.writeUInt16BE(kHeight, 10);
  return Buffer.concat([
    head,
    Buffer.alloc(kWidth * kHeight * 4, Buffer.from([red, green, blue, 0])),
  ]);
}

export async function rfbServer(rig, name, colour) {
  const found = { name, keys: [], changes: new Changes() };
  const server = net.createServer(async (socket) => {
    rig.keep(socket);
    socket.on('error', () => {});
    const input = reader(socket);
    await input.next();
    const read = async (n) => (await input.next(n)).value;
    socket.write('RFB 003.008\n');
    if (!(await read(12))) return; // someone only looked whether it listens
    socket.write(Buffer.from([1, 1])); // one security type: None
    await read(1);
    socket.write(Buffer.alloc(4)); // OK
    await read(1);
    socket.write(serverInit(name));
    for (let type = await read(1); type; type = await read(1)) {
      const body = await read({ 0: 19, 2: 3, 3: 9, 4: 7, 5: 5 }[type[0]]);
      if (!body) return;
      if (type[0] === 2) await read(body.readUInt16BE(1) * 4); // SetEncodings
      if (type[0] === 3 && body[0] === 0) socket.write(update(colour)); // not for an incremental one
      if (type[0] === 4) {
        if (body[0]) found.keys.push(String.fromCodePoint(body.readUInt32BE(3)));
        found.changes.touch();
      }
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  rig.defer(() => server.close());
  return Object.assign(found, { port: server.address().port });
}
