// One end of a TCP (or TLS, or unix) connection in the test's full control: the raw client, and each
// connection of the raw backend. Everything received stays in a buffer until it is read.

import assert from 'node:assert/strict';
import net from 'node:net';
import tls from 'node:tls';
import { Changes, kDeadline, within } from './deadline.js';
import {
  Op,
  acceptKey,
  closePayload,
  frame,
  handshakeHead,
  makeKey,
  parseFrame,
} from './frames.js';

export class Peer {
  #chunks = [];
  #buffered = 0;
  #changes = new Changes();

  received = 0; // bytes, over all
  counting = false; // true: bytes are counted and dropped
  ended = false; // the other side's FIN, or a reset
  reset = false;

  constructor(socket, role) {
    this.socket = socket;
    this.role = role;
    socket.on('data', (bytes) => {
      this.received += bytes.length;
      if (!this.counting) {
        this.#chunks.push(bytes);
        this.#buffered += bytes.length;
      }
      this.#changes.touch();
    });
    socket.on('end', () => this.#end());
    socket.on('close', () => this.#end());
    socket.on('error', (error) => {
      this.error = error;
      this.reset = true;
      this.#end();
    });
  }

  // target: a port, or { port } or { path }; tlsOptions: those of tls.connect, absent for plain.
  static async connect(target, { tlsOptions, localAddress } = {}) {
    const where = typeof target === 'number' ? { host: '127.0.0.1', port: target } : target;
    const options = { ...where, ...(localAddress ? { localAddress } : {}), allowHalfOpen: true };
    const socket = tlsOptions
      ? tls.connect({ ...options, rejectUnauthorized: false, ...tlsOptions })
      : net.connect(options);
    await within(
      new Promise((resolve, reject) => {
        socket.once(tlsOptions ? 'secureConnect' : 'connect', resolve);
        socket.once('error', reject);
      }),
      'connected',
    ).catch((error) => {
      socket.destroy();
      throw error;
    });
    socket.setNoDelay(true);
    return new Peer(socket, 'client');
  }

  #end() {
    this.ended = true;
    this.#changes.touch();
  }

  get buffer() {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  // --- bytes ---

  // Resolves once the bytes are with the kernel; errors of the connection are seen by the reading side.
  send(bytes) {
    return new Promise((resolve) => this.socket.write(bytes, () => resolve()));
  }

  end() {
    this.socket.end();
  }

  // An RST instead of a FIN.
  abort() {
    if (this.socket.resetAndDestroy && !(this.socket instanceof tls.TLSSocket))
      this.socket.resetAndDestroy();
    else this.socket.destroy();
  }

  destroy() {
    this.socket.destroy();
  }

  until(predicate, what, ms) {
    return this.#changes.until(
      predicate,
      () => `${this.role}: ${what}; ended: ${this.ended}, unread: ${this.preview()}`,
      ms,
    );
  }

  preview() {
    return JSON.stringify(this.buffer.subarray(0, 200).toString('latin1'));
  }

  take(n) {
    const all = this.buffer;
    assert.ok(all.length >= n);
    this.#chunks = n < all.length ? [all.subarray(n)] : [];
    this.#buffered = all.length - n;
    return all.subarray(0, n);
  }

  // The next n bytes; fails when the connection ends before.
  async read(n, ms = kDeadline) {
    await this.until(
      () => {
        if (this.#buffered >= n) return true;
        if (this.ended)
          throw new Error(`${this.role}: the connection ended ${n - this.#buffered} bytes early`);
        return false;
      },
      `${n} bytes`,
      ms,
    );
    return this.take(n);
  }

  // The other side ended, and nothing unread came before.
  async expectEnd(ms = kDeadline) {
    await this.until(() => this.ended, 'the end', ms);
    assert.equal(
      this.buffer.length,
      0,
      `${this.role}: unexpected bytes before the end: ${this.preview()}`,
    );
  }

  // Everything up to the end.
  async readAll(ms = kDeadline) {
    await this.until(() => this.ended, 'the end', ms);
    return this.take(this.buffer.length);
  }

  // --- HTTP ---

  async readHead(ms = kDeadline) {
    const size = await this.until(
      () => {
        const at = this.buffer.indexOf('\r\n\r\n');
        if (at >= 0) return at + 4;
        if (this.ended)
          throw new Error(`${this.role}: ended before a whole head: ${this.preview()}`);
        return 0;
      },
      'a head',
      ms,
    );
    return new Head(this.take(size).toString('latin1'));
  }

  // The decoded body of an answer to `method`.
  async readBody(head, method = 'GET') {
    if (method === 'HEAD' || head.status === 204 || head.status === 304 || head.status < 200)
      return Buffer.alloc(0);
    if (/chunked/i.test(head.get('transfer-encoding') ?? '')) return this.#readChunked();
    const length = head.get('content-length');
    return length === undefined ? this.readAll() : this.read(Number(length));
  }

  async #readChunked() {
    const parts = [];
    for (;;) {
      const size = parseInt((await this.#readLine()).split(';')[0], 16);
      assert.ok(size >= 0, 'a chunk size');
      if (size === 0) break;
      parts.push(Buffer.from(await this.read(size)));
      assert.equal(await this.#readLine(), '');
    }
    while ((await this.#readLine()) !== '');
    return Buffer.concat(parts);
  }

  async #readLine() {
    await this.until(() => {
      if (this.buffer.includes('\r\n')) return true;
      if (this.ended) throw new Error(`${this.role}: the connection ended within a line`);
      return false;
    }, 'a line');
    return this.take(this.buffer.indexOf('\r\n') + 2)
      .toString('latin1')
      .slice(0, -2);
  }

  // Head and body of the next answer: { status, head, body (text) }.
  async readAnswer(method = 'GET') {
    const head = await this.readHead();
    const body = await this.readBody(head, method);
    return { status: head.status, head, body: body.toString() };
  }

  async request(text, method = 'GET') {
    this.send(text);
    return this.readAnswer(method);
  }

  // --- WebSocket ---

  // As a client: the handshake, and its answer's head, which must be a right 101.
  async upgrade(options = {}) {
    const key = options.key ?? makeKey();
    this.send(handshakeHead({ ...options, key }));
    const head = await this.readHead();
    assert.equal(head.status, 101, `expected 101, got ${head.text}`);
    assert.equal(head.get('sec-websocket-accept'), acceptKey(key));
    return head;
  }

  // As a backend: reads the handshake and agrees. The request's head is returned.
  async acceptUpgrade({ fields = {}, then = '' } = {}) {
    const request = await this.readHead();
    this.answer101(request, fields, then);
    return request;
  }

  // As a backend that means no harm: agrees, and answers a Close. Everything else it gets is dropped.
  async oblige({ fields = {} } = {}) {
    await this.acceptUpgrade({ fields });
    for (;;) {
      const got = await this.nextFrame(3_600_000);
      if (got !== null && got.op !== Op.close) continue;
      if (got !== null) this.sendFrame({ op: Op.close, payload: got.payload });
      return this.end();
    }
  }

  // `fields` replace or remove (null) the usual ones of the 101; `then` follows in the same write.
  answer101(request, fields = {}, then = '') {
    const all = {
      Upgrade: 'websocket',
      Connection: 'Upgrade',
      'Sec-WebSocket-Accept': acceptKey(request.get('sec-websocket-key')),
      ...fields,
    };
    const lines = Object.entries(all)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => `${name}: ${value}\r\n`);
    this.send(
      Buffer.concat([
        Buffer.from(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`),
        Buffer.from(then),
      ]),
    );
  }

  // A frame in this role's masking, unless told otherwise.
  build(options) {
    return frame({ mask: this.role === 'client', ...options });
  }

  sendFrame(options) {
    return this.send(this.build(options));
  }

  sendText(text) {
    return this.sendFrame({ payload: text });
  }

  sendClose(code, reason) {
    return this.sendFrame({ op: Op.close, payload: closePayload(code, reason) });
  }

  // The next frame, whatever it is; null at an end between two frames.
  async nextFrame(ms = kDeadline) {
    const found = await this.until(
      () => {
        const parsed = parseFrame(this.buffer);
        if (parsed) return parsed;
        if (!this.ended) return null;
        assert.equal(
          this.buffer.length,
          0,
          `${this.role}: the connection ended within a frame: ${this.preview()}`,
        );
        return 'end';
      },
      'a frame',
      ms,
    );
    if (found === 'end') return null;
    this.take(found.size);
    assert.equal(
      found.masked,
      this.role !== 'client',
      `${this.role}: a frame's mask bit is wrong for its direction`,
    );
    return found;
  }

  async expectFrame(want, ms = kDeadline) {
    const got = await this.nextFrame(ms);
    assert.ok(got, `${this.role}: ended, expected ${JSON.stringify(want)}`);
    for (const [name, value] of Object.entries(want)) {
      if (name === 'payload')
        assert.ok(
          got.payload.equals(Buffer.from(value)),
          `${this.role}: payload ${got.payload.subarray(0, 80)} instead of ${Buffer.from(value).subarray(0, 80)} (op ${got.op}, code ${got.code})`,
        );
      else
        assert.equal(
          got[name],
          value,
          `${this.role}: ${name} of the frame (op ${got.op}, code ${got.code}, payload ${got.payload.subarray(0, 80)})`,
        );
    }
    return got;
  }

  expectText(text, ms) {
    return this.expectFrame({ op: Op.text, fin: true, payload: text }, ms);
  }

  async expectClose(code, reason, ms) {
    const got = await this.expectFrame({ op: Op.close, code }, ms);
    if (reason !== undefined) assert.equal(got.reason, reason);
    return got;
  }

  // A Close with that code, answered as RFC 6455 5.5.1 wants it; then TCP's end and nothing more. A backend ends TCP
  // itself (7.1.1), a client only when nothing happens for a while.
  async expectClosing(code, reason) {
    const got = await this.expectClose(code, reason);
    this.sendFrame({ op: Op.close, payload: got.payload });
    const leave = setTimeout(() => this.end(), this.role === 'backend' ? 0 : 1000);
    await this.expectEnd();
    clearTimeout(leave);
    this.end();
    return got;
  }
}

// A request's or an answer's head, parsed just enough to look at.
export class Head {
  constructor(text) {
    this.text = text;
    const [first, ...lines] = text.slice(0, -4).split('\r\n');
    this.first = first;
    this.fields = lines.map((line) => [
      line.slice(0, line.indexOf(':')),
      line.slice(line.indexOf(':') + 1).trim(),
    ]);
    if (first.startsWith('HTTP/')) this.status = Number(first.split(' ')[1]);
    else [this.method, this.target, this.version] = first.split(' ');
  }

  get(name) {
    return this.all(name)[0];
  }

  all(name) {
    return this.fields
      .filter(([n]) => n.toLowerCase() === name.toLowerCase())
      .map(([, value]) => value);
  }

  // Whether the name stands there in exactly that case.
  hasExact(name) {
    return this.fields.some(([n]) => n === name);
  }
}
