// An admin endpoint that is made up, in front of the real page: as many sessions as a test wants.

import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const kFiles = fileURLToPath(new URL('../../../proxy/dashboard/', import.meta.url));
const kTypes = {
  html: 'text/html; charset=utf-8',
  css: 'text/css',
  js: 'text/javascript',
  svg: 'image/svg+xml',
};
export const kPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const kServers = ['10.0.0.11:8080', '10.0.0.12:8080', '10.0.0.13:8080', 'app-4.internal:8080'];

// The same numbers in each run.
function random(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

export function makeSessions(count) {
  const next = random(7);
  return Array.from({ length: count }, (_, i) => ({
    conn_id: (0x2a000000000n + BigInt(i)).toString(16).padStart(16, '0'),
    client_ip: `198.51.${100 + (i >> 8)}.${i & 255}`,
    route: i % 5 ? 'chat' : 'live-feed',
    backend: i % 5 ? 'chat' : 'feed',
    server: kServers[i % 5 ? i % 3 : 3],
    path: i % 5 ? '/chat' : '/feed/prices',
    duration_ms: Math.floor(next() ** 3 * 90_000_000),
    idle_ms: Math.floor(next() ** 4 * 600_000),
    rtt_ms: 4 + next() ** 4 * 300,
    msgs_in: Math.floor(next() * 4000),
    msgs_out: Math.floor(next() * 40_000),
    msgs_per_s: next() ** 6 * 40,
    bytes_per_s: next() ** 6 * 90_000,
  }));
}

const kEnds = [
  {
    event: 'http',
    reason: 'origin_denied',
    text: "A page of an origin that is not in the route's origins tried it",
    status: 403,
    origin: 'https://shop.example.org',
    path: '/chat',
    usual: false,
  },
  {
    event: 'close',
    reason: 'client_gone',
    text: "The client's connection ended without a Close",
    duration_ms: 734_000,
    usual: true,
  },
  {
    event: 'close',
    reason: 'client_closed',
    text: 'The client closed it',
    close_code: 1001,
    duration_ms: 51_000,
    usual: true,
  },
  {
    event: 'close',
    reason: 'client_message_too_big',
    text: "The client's message was larger than max_message",
    close_code: 1009,
    close_reason: 'message too big',
    duration_ms: 9000,
    usual: false,
  },
  {
    event: 'http',
    reason: 'handshake_rate',
    text: 'Too many handshakes from this address',
    status: 429,
    path: '/chat',
    usual: false,
  },
  {
    event: 'close',
    reason: 'backend_closed',
    text: 'The backend closed it',
    close_code: 1000,
    close_reason: 'bye',
    duration_ms: 3_600_000,
    usual: true,
  },
];

export const makeEnds = (count, now = Date.now()) =>
  Array.from({ length: count }, (_, i) => ({
    ...kEnds[i % kEnds.length],
    at: now - (count - i) * 2300,
    conn_id: i.toString(16).padStart(16, '0'),
    client_ip: `203.0.113.${(i * 37) % 256}`,
    route: 'chat',
    server: kEnds[i % kEnds.length].event === 'close' ? kServers[i % 3] : undefined,
  }));

const kBounds = [5, 10, 25, 50, 100, 250, 500, null]; // ms
const kPings = [0.04, 0.16, 0.38, 0.24, 0.11, 0.05, 0.02, 0]; // what part of them is below each

// `backlog` ticks are sent at once, as if it had been watched for that long.
export class FakeAdmin {
  #options;
  #server;
  #started = Date.now();
  #next = random(3);
  #rtt = kBounds.map((bound) => [bound, 0]);
  #totals = {
    messages_in: 0,
    messages_out: 0,
    bytes_in: 0,
    bytes_out: 0,
    handshakes: 0,
    http_requests: 0,
    refused: { origin_denied: 0, handshake_rate: 0 },
    closes: { '1001 client': 0, '1000 backend': 0 },
  };
  requests = [];

  static async listen(rig, options = {}) {
    const fake = new FakeAdmin();
    fake.#options = { sessions: [], ends: [], backlog: 0, ...options };
    fake.#server = http.createServer((request, answer) => fake.#answer(request, answer));
    await new Promise((resolve) => fake.#server.listen(0, '127.0.0.1', resolve));
    fake.url = `http://127.0.0.1:${fake.#server.address().port}/`;
    rig.defer(() => {
      fake.#server.close();
      fake.#server.closeAllConnections();
    });
    return fake;
  }

  #answer(request, answer) {
    const url = new URL(request.url, this.url);
    this.requests.push(`${request.method} ${request.url}`);
    answer.setHeader('Content-Security-Policy', kPolicy);
    if (url.pathname === '/api/live') return this.#live(answer);
    if (url.pathname.startsWith('/api/sessions')) return this.#sessions(request, url, answer);
    const name = url.pathname === '/' ? 'index.html' : url.pathname.slice(1);
    answer.setHeader('Content-Type', kTypes[path.extname(name).slice(1)] ?? 'text/plain');
    fs.createReadStream(path.join(kFiles, path.basename(name)))
      .on('error', () => answer.writeHead(404).end())
      .pipe(answer);
  }

  #live(answer) {
    answer.setHeader('Content-Type', 'text/event-stream');
    const send = (name, data) => answer.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
    const now = Date.now();
    for (let i = this.#options.backlog; i >= 0; --i) send('tick', this.#tick(now - i * 1000));
    if (this.#options.ends.length > 0) send('ends', this.#options.ends);
    const timer = setInterval(() => send('tick', this.#tick(Date.now())), 1000);
    answer.on('close', () => clearInterval(timer));
  }

  #sessions(request, url, answer) {
    const filters = ['client', 'route', 'backend', 'server'].filter((name) =>
      url.searchParams.has(name),
    );
    const key = { client: 'client_ip' };
    const fits = (one) =>
      filters.every((name) => one[key[name] ?? name] === url.searchParams.get(name));
    const found = this.#options.sessions.filter(fits);
    const [offset, limit] = ['offset', 'limit'].map((name) => Number(url.searchParams.get(name)));
    answer.setHeader('Content-Type', 'application/json');
    if (request.method === 'DELETE') {
      const id = url.pathname.split('/')[3];
      const gone = id ? this.#options.sessions.filter((one) => one.conn_id === id) : found;
      this.#options.sessions = this.#options.sessions.filter((one) => !gone.includes(one));
      return answer.end(JSON.stringify({ closed: gone.length }));
    }
    return answer.end(
      JSON.stringify({ sessions: found.slice(offset, offset + limit), total: found.length }),
    );
  }

  #tick(at) {
    const { sessions, backends = this.#backends(), status = {} } = this.#options;
    const open = sessions.length;
    const rate = open * (0.4 + 0.25 * Math.sin(at / 60_000) + 0.1 * this.#next());
    const totals = this.#totals;
    totals.messages_in += Math.round(rate * 0.3);
    totals.messages_out += Math.round(rate);
    totals.bytes_in += Math.round(rate * 60);
    totals.bytes_out += Math.round(rate * 410);
    const about = (n) => Math.round(n * (0.7 + 0.6 * this.#next()));
    totals.handshakes += about(open / 250);
    totals.http_requests += about(open / 160);
    totals.refused.origin_denied += open > 100 && this.#next() > 0.97 ? 3 : 0;
    totals.refused.handshake_rate += open > 100 && Math.sin(at / 90_000) > 0.9 ? about(14) : 0;
    totals.closes['1001 client'] += about(open / 270);
    totals.closes['1000 backend'] += open > 100 && this.#next() > 0.8 ? 1 : 0;
    kPings.forEach((share, i) => {
      this.#rtt[i][1] += about((open * share) / 20);
    });
    totals.rtt_ms = { p50: 20, p90: 60, p99: 200, buckets: this.#rtt.map((one) => [...one]) };
    const wobble = Math.round(open * 0.02 * Math.sin(at / 47_000));
    return { at, status: { ...this.#status(open + wobble), ...status }, backends, totals };
  }

  #status(open) {
    const share = (i) => Math.round(open / 4 + (i - 1.5) * (open / 60));
    return {
      version: '0.1.0',
      pid: 4711,
      started: new Date(this.#started).toISOString(),
      uptime_s: 271_843 + (Date.now() - this.#started) / 1000,
      draining: false,
      connections: open,
      max_connections: 100_000,
      sessions: open,
      workers: [0, 1, 2, 3].map((worker) => ({ worker, connections: share(worker) })),
      listeners: [
        { address: '0.0.0.0:443', tls: true },
        { address: '127.0.0.1:8080', tls: false },
      ],
      last_reload: {
        ok: true,
        at: new Date(this.#started - 7_200_000).toISOString(),
        succeeded: 3,
        failed: 0,
      },
      certificates: [
        {
          listener: '0.0.0.0:443',
          names: ['chat.example.com', '*.example.org'],
          not_after: new Date(this.#started + 61 * 86_400_000).toISOString(),
        },
      ],
    };
  }

  #backends() {
    const at = (address) => this.#options.sessions.filter((one) => one.server === address).length;
    const server = (address, more) => ({
      address,
      state: 'ready',
      weight: 1,
      sessions: at(address),
      up: true,
      ...more,
    });
    return [
      {
        name: 'chat',
        servers: [
          server(kServers[0]),
          server(kServers[1]),
          server(kServers[2], { weight: 2 }),
          server('10.0.0.14:8080', { state: 'drain' }),
        ],
      },
      {
        name: 'feed',
        servers: [server(kServers[3]), server('app-5.internal:8080', { up: false })],
      },
    ];
  }
}
