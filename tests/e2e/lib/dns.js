// A small name server on loopback, UDP and TCP, whose answers a test sets and changes.

import dgram from 'node:dgram';
import net from 'node:net';
import { Changes, within } from './deadline.js';

const kTypes = { A: 1, AAAA: 28, SRV: 33 };
const kCodes = { noerror: 0, servfail: 2, nxdomain: 3, refused: 5 };

const u16 = (value) => Buffer.from([value >> 8, value & 0xff]);

function nameBytes(name) {
  const labels = name.split('.').filter(Boolean);
  return Buffer.concat([
    ...labels.map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.from([0]),
  ]);
}

function groups(text) {
  const [head, tail] = text.split('::').map((half) => half.split(':').filter(Boolean));
  const filling = tail === undefined ? [] : Array(8 - head.length - tail.length).fill('0');
  return [...head, ...filling, ...(tail ?? [])];
}

function data(type, record) {
  if (type === 'A') return Buffer.from(record.split('.').map(Number));
  if (type === 'AAAA') return Buffer.concat(groups(record).map((one) => u16(parseInt(one, 16))));
  const { priority = 0, weight = 1, port, target } = record;
  return Buffer.concat([u16(priority), u16(weight), u16(port), nameBytes(target)]);
}

// { id, name, type, end } of the one question.
function parse(message) {
  let at = 12;
  const labels = [];
  while (message[at] !== 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + message[at]));
    at += 1 + message[at];
  }
  const number = message.readUInt16BE(at + 1);
  const type = Object.keys(kTypes).find((one) => kTypes[one] === number);
  return { id: message.readUInt16BE(0), name: labels.join('.').toLowerCase(), type, end: at + 5 };
}

export class DnsServer {
  asked = []; // "TYPE name" of every question
  #zones = new Map();
  #changes = new Changes();

  static async listen(rig) {
    const server = new DnsServer();
    rig.defer(() => server.#close());
    // TCP has to have the port that UDP got: another program may have it.
    for (let tries = 0; !(await server.#open()); tries += 1) {
      if (tries === 20) throw new Error('no port is free for both UDP and TCP');
    }
    return server;
  }

  async #open() {
    this.udp = dgram.createSocket('udp4');
    await within(new Promise((resolve) => this.udp.bind(0, '127.0.0.1', resolve)), 'UDP is bound');
    this.port = this.udp.address().port;
    this.address = `127.0.0.1:${this.port}`;
    this.udp.on('message', (message, from) => {
      const answer = this.#answer(message, false);
      if (answer) this.udp.send(answer, from.port, from.address);
    });
    this.tcp = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (bytes) => {
        const answer = this.#answer(bytes.subarray(2), true);
        if (answer) socket.end(Buffer.concat([u16(answer.length), answer]));
      });
    });
    const bound = await within(
      new Promise((resolve) => {
        this.tcp.once('error', () => resolve(false));
        this.tcp.listen(this.port, '127.0.0.1', () => resolve(true));
      }),
      'TCP is bound',
    );
    if (!bound) this.udp.close();
    return bound;
  }

  #close() {
    this.udp.close();
    this.tcp.close();
  }

  // What the name's questions of these types get: { TYPE: [records], ttl }; a type that is not there has no
  // records. { fail }: "nxdomain", "servfail", "refused", "silent", or a Buffer that comes instead of what
  // follows the id; { fail, only: TYPE } for that type alone. { truncated: true }: whole over TCP only.
  set(name, zone) {
    this.#zones.set(name, { ttl: 0, ...zone });
  }

  // Resolves once the name is asked for again, `times` from now.
  again(name, times = 1) {
    const count = () => this.asked.filter((one) => one.endsWith(` ${name}`)).length;
    const before = count();
    return this.#changes.until(() => count() >= before + times, `a question for ${name}`);
  }

  #answer(message, tcp) {
    const question = parse(message);
    this.asked.push(`${question.type} ${question.name}`);
    setImmediate(() => this.#changes.touch());
    const zone = this.#zones.get(question.name) ?? { fail: 'nxdomain' };
    const fails = zone.fail !== undefined && (zone.only ?? question.type) === question.type;
    if (fails && zone.fail === 'silent') return null;
    if (fails && Buffer.isBuffer(zone.fail)) return Buffer.concat([u16(question.id), zone.fail]);
    const cut = zone.truncated && !tcp;
    const records = fails || cut ? [] : (zone[question.type] ?? []);
    const code = kCodes[fails ? zone.fail : 'noerror'];
    return Buffer.concat([
      u16(question.id),
      u16(0x8180 | (cut ? 0x200 : 0) | code),
      ...[1, records.length, 0, 0].map(u16),
      message.subarray(12, question.end),
      ...records.map((record) => this.#record(question.type, zone.ttl, record)),
    ]);
  }

  #record(type, ttl, record) {
    const bytes = data(type, record);
    const fixed = [0xc00c, kTypes[type], 1, ttl >>> 16, ttl & 0xffff, bytes.length];
    return Buffer.concat([...fixed.map(u16), bytes]);
  }
}
