// What the soak's parts share: Fairlead and the servers as child processes, and one end of a WebSocket that costs
// little, so that thousands fit into one process.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Op, closePayload, frame, handshakeHead, parseFrame } from '../e2e/lib/frames.js';

export { Op };

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export const between = (low, high) => low + Math.random() * (high - low);
export const chance = (p) => Math.random() < p;
export const pick = (list) => list[Math.floor(Math.random() * list.length)];

// Polls until it gives something truthy.
export async function until(attempt, what, ms = 30_000) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await attempt();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await sleep(50);
  }
}

// --- processes: only children of this one are ever signalled ---

const children = new Set();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});
for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(name, () => process.exit(1));

function start(command, args, options) {
  const child = spawn(command, args, options);
  children.add(child);
  child.on('exit', () => children.delete(child));
  return child;
}

// A program of this folder, with a channel for messages.
export function program(name, args = []) {
  const file = path.join(path.dirname(fileURLToPath(import.meta.url)), name);
  return start(process.execPath, [file, ...args.map(String)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}

export const message = (child, want = () => true) =>
  new Promise((resolve, reject) => {
    const gone = () => reject(new Error('the child ended'));
    const take = (got) => {
      if (!want(got)) return;
      child.off('message', take);
      child.off('exit', gone);
      resolve(got);
    };
    child.on('message', take);
    child.once('exit', gone);
  });

// A server (server.js) that can be killed, stopped and started again at its port.
export class Server {
  harmed = []; // [from, to): when it was dead or stopped, and a little longer

  static async start(options = {}) {
    const server = new Server();
    server.options = options;
    await server.start();
    return server;
  }

  async start() {
    this.child = program('server.js', [this.port ?? 0]);
    if (this.options.onReport) this.child.on('message', this.options.onReport);
    const { port } = await message(this.child, (got) => got.port);
    this.port = port;
    this.address = `127.0.0.1:${port}`;
  }

  signal(name) {
    this.child.kill(name);
  }

  wasHarmed(from, to) {
    return this.harmed.some(([begin, end]) => begin <= to && (end ?? Infinity) >= from);
  }
}

export class Fairlead {
  stderr = '';

  // `toml` is a function of the directory (for [admin] and the access log).
  static async start(toml) {
    const fairlead = new Fairlead();
    fairlead.directory = fs.mkdtempSync(path.join(os.tmpdir(), 'fairlead-soak-'));
    fairlead.access = path.join(fairlead.directory, 'access.log');
    fairlead.socket = path.join(fairlead.directory, 'admin.sock');
    fairlead.write(toml);
    fairlead.child = start(
      process.env.FAIRLEAD,
      ['run', '-c', path.join(fairlead.directory, 'fairlead.toml')],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
        // Freed memory that AddressSanitizer keeps back would look like a leak.
        env: { ...process.env, ASAN_OPTIONS: 'quarantine_size_mb=4:thread_local_quarantine_size_kb=64' },
      },
    );
    fairlead.child.stderr.setEncoding('utf8').on('data', (text) => (fairlead.stderr += text));
    fairlead.child.on('exit', (code, signal) => (fairlead.exit = { code, signal }));
    process.on('exit', () => fs.rmSync(fairlead.directory, { recursive: true, force: true }));
    await until(() => fairlead.stderr.includes('ready:') || fairlead.exit, 'Fairlead is ready');
    if (fairlead.exit) throw new Error(`Fairlead ended: ${fairlead.stderr}`);
    fairlead.port = Number(fairlead.stderr.match(/listening on \S+:(\d+)/)[1]);
    return fairlead;
  }

  write(toml) {
    const more = `\n[log]\naccess = "${this.access}"\n[admin]\nlisten = "unix:${this.socket}"\n`;
    fs.writeFileSync(path.join(this.directory, 'fairlead.toml'), toml + more);
  }

  ask(method, target, body) {
    return new Promise((resolve, reject) => {
      const request = http.request(
        { socketPath: this.socket, method, path: target, agent: false },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (piece) => (text += piece));
          response.on('end', () =>
            resolve({ status: response.statusCode, json: text ? JSON.parse(text) : undefined }),
          );
        },
      );
      request.on('error', reject);
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  async backends() {
    return (await this.ask('GET', '/api/backends')).json.backends[0].servers;
  }

  // KiB: what is its alone and its part of what is shared.
  memory() {
    const text = fs.readFileSync(`/proc/${this.child.pid}/smaps_rollup`, 'utf8');
    return Number(text.match(/^Pss: +(\d+)/m)[1]);
  }

  isSanitized() {
    return fs.readFileSync(`/proc/${this.child.pid}/maps`, 'utf8').includes('libasan');
  }

  files() {
    return fs.readdirSync(`/proc/${this.child.pid}/fd`).length;
  }

  log() {
    return fs
      .readFileSync(this.access, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
  }

  async stop() {
    this.child.kill('SIGTERM');
    await until(() => this.exit, 'Fairlead stops', 60_000);
    return this.exit.code;
  }

  // What it said that it should not have.
  complaints() {
    return this.stderr
      .split('\n')
      .filter((line) => / (error|critical): |Sanitizer|runtime error/.test(line));
  }
}

// --- one end of a WebSocket ---

export class End {
  buffer = Buffer.alloc(0);
  parts = []; // of the message under way
  over = false;

  // handlers: message(payload), close(code), ended()
  constructor(socket, isClient, handlers) {
    this.socket = socket;
    this.isClient = isClient;
    this.handlers = handlers;
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => this.#end());
    socket.on('end', () => this.#end());
  }

  #end() {
    if (this.over) return;
    this.over = true;
    this.socket.destroy();
    this.handlers.ended();
  }

  // The head has been read; `rest` is what came behind it.
  open(rest) {
    this.socket.on('data', (bytes) => this.#take(bytes));
    if (rest.length !== 0) this.#take(rest);
  }

  #take(bytes) {
    this.buffer = this.buffer.length === 0 ? bytes : Buffer.concat([this.buffer, bytes]);
    for (;;) {
      if (this.over) return;
      const got = parseFrame(this.buffer);
      if (!got) return;
      this.buffer = this.buffer.subarray(got.size);
      if (got.op === Op.ping) this.frame({ op: Op.pong, payload: got.payload });
      if (got.op === Op.close) this.handlers.close(got.code, got.payload);
      if (got.op > Op.binary) continue;
      this.parts.push(got.payload);
      if (!got.fin) continue;
      const whole = this.parts.length === 1 ? this.parts[0] : Buffer.concat(this.parts);
      this.parts = [];
      this.handlers.message(whole);
    }
  }

  frame(options) {
    if (!this.over) this.socket.write(frame({ mask: this.isClient, ...options }));
  }

  // Some of them in pieces.
  message(payload) {
    if (payload.length < 8 || !chance(0.1)) return this.frame({ op: Op.text, payload });
    const cut = Math.floor(between(1, payload.length - 1));
    this.frame({ op: Op.text, payload: payload.subarray(0, cut), fin: false });
    return this.frame({ op: Op.continuation, payload: payload.subarray(cut) });
  }

  sendClose(code) {
    this.frame({ op: Op.close, payload: closePayload(code) });
  }

  answerClose(payload) {
    this.frame({ op: Op.close, payload });
    this.socket.end();
  }

  destroy() {
    this.socket.destroy();
  }
}

// A session through Fairlead: { status, server, end }; status 0: no answer. `end` is null unless it is 101.
export function connect(port, target, handlers) {
  return new Promise((resolve) => {
    const socket = net.connect({ host: '127.0.0.1', port });
    const end = new End(socket, true, {
      message: (payload) => handlers.message(payload),
      close: (code, payload) => handlers.close(code, payload),
      ended: () => {
        resolve({ status: 0, end: null });
        handlers.ended();
      },
    });
    let bytes = Buffer.alloc(0);
    const take = (piece) => {
      bytes = Buffer.concat([bytes, piece]);
      const size = bytes.indexOf('\r\n\r\n');
      if (size < 0) return;
      socket.off('data', take);
      const head = bytes.subarray(0, size).toString('latin1');
      const status = Number(head.split(' ')[1]);
      const server = head.match(/^x-server: (\S+)/im)?.[1];
      resolve({ status, server, end: status === 101 ? end : null });
      if (status !== 101) return socket.destroy();
      // Whoever waits for the end has it before its first message.
      socket.pause();
      setImmediate(() => {
        end.open(bytes.subarray(size + 4));
        socket.resume();
      });
    };
    socket.on('data', take);
    socket.write(handshakeHead({ path: target }));
  });
}

// What the n-th message of a session in a direction is: both ends know it.
export function content(session, direction, n) {
  let seed = (session * 7919 + n * 104729 + (direction === 'up' ? 1 : 2)) >>> 0;
  seed = (Math.imul(seed ^ (seed >>> 15), 2246822519) ^ (seed >>> 13)) >>> 0;
  const size = seed % 50 === 0 ? 20_000 : seed % 700;
  return `${session}.${direction}.${n}.${seed.toString(36).repeat(1 + size / 6)}`;
}
