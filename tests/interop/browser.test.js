// A page in a real browser that uses all an app uses: WebSocket, EventSource, fetch and XMLHttpRequest, on one origin.

import assert from 'node:assert/strict';
import { scenario } from '../e2e/lib/rig.js';
import { sha, wsServer } from '../e2e/lib/sockets.js';
import { needsBrowser, visitor } from './lib/browser.js';
import { front } from './lib/front.js';
import { bodyOf, httpServer } from './lib/servers.js';

// A server of the app: its page, /events, /api, /upload, and an echo on every path.
async function appServer(rig, name) {
  const server = await httpServer(rig, async (request, answer) => {
    if (request.url === '/events') {
      const from = Number(request.headers['last-event-id'] ?? 0);
      answer.writeHead(200, { 'Content-Type': 'text/event-stream' });
      answer.write(`retry: 20\nid: ${from + 1}\ndata: ${name} ${from + 1}\n\n`);
      if (from < 2) answer.end(); // the browser comes back for the next
    } else if (request.url === '/api') {
      const body = await bodyOf(request);
      answer.setHeader('Content-Type', 'application/json');
      answer.end(
        JSON.stringify({
          name,
          method: request.method,
          sha: sha(body),
          proto: request.headers['x-forwarded-proto'],
          host: request.headers.host,
        }),
      );
    } else {
      answer.setHeader('Content-Type', 'text/html').end('<!doctype html><title>app</title>');
    }
  });
  await wsServer(rig, {
    server,
    onSession: (socket) => {
      socket.send(name);
      socket.on('message', (data, binary) => socket.send(data, { binary }));
    },
  });
  return server;
}

async function site(rig) {
  const servers = [await appServer(rig, 'one'), await appServer(rig, 'two')];
  return front(
    rig,
    servers.map((one) => one.where),
    {
      backend: 'sticky = { cookie = "fairlead" }',
    },
  );
}

// --- run inside the page ---

const useAll = async (body) => {
  const call = async (options) => (await fetch('/api', options)).json();
  const socket = new WebSocket(`wss://${location.host}/live`);
  const said = [];
  await new Promise((resolve, reject) => {
    socket.onmessage = ({ data }) => {
      said.push(data);
      if (said.length === 1) socket.send(body);
      else resolve();
    };
    socket.onclose = (event) => reject(new Error(`closed ${event.code}`));
  });
  const events = [];
  const source = new EventSource('/events');
  await new Promise((resolve) => {
    source.onmessage = ({ data }) => {
      events.push(data);
      if (events.length === 3) resolve();
    };
  });
  source.close();
  return {
    got: await call(),
    posted: await call({ method: 'POST', body }),
    said,
    events,
    cookies: document.cookie,
  };
};

const upload = (size) =>
  new Promise((resolve, reject) => {
    const bytes = new Uint8Array(size).map((_, i) => i & 255);
    const request = new XMLHttpRequest();
    let seen = 0;
    request.upload.onprogress = (event) => (seen = event.loaded);
    request.onload = () =>
      resolve({ status: request.status, seen, ...JSON.parse(request.responseText) });
    request.onerror = () => reject(new Error('the upload failed'));
    request.open('PUT', '/api');
    request.send(new Blob([bytes]));
  });

// 'open' or the Close code; fetch: what the page may read of the answer.
const trespass = async (host) => ({
  socket: await new Promise((resolve) => {
    const socket = new WebSocket(`wss://${host}/live`);
    socket.onopen = () => resolve('open');
    socket.onclose = (event) => resolve(event.code);
  }),
  fetched: await fetch(`https://${host}/api`).then(
    () => 'read',
    () => 'refused',
  ),
});

scenario(
  'a tab uses WebSocket, EventSource, fetch and XHR, all at one server',
  needsBrowser,
  async (rig) => {
    const app = await site(rig);
    const homes = [];
    for (let i = 0; i < 2; ++i) {
      const context = await visitor(rig);
      const page = await context.newPage();
      await page.goto(app.at('/'));
      const found = await page.evaluate(useAll, 'grüße 😀');
      const { name } = found.got;
      homes.push(name);
      assert.deepEqual(found.got, {
        name,
        method: 'GET',
        sha: sha(''),
        proto: 'https',
        host: `127.0.0.1:${app.port}`,
      });
      assert.deepEqual([found.posted.name, found.posted.sha], [name, sha('grüße 😀')]);
      assert.deepEqual(found.said, [name, 'grüße 😀']);
      assert.deepEqual(found.events, [`${name} 1`, `${name} 2`, `${name} 3`]);
      assert.equal(found.cookies, '', 'no script sees the cookie');
      const size = 8 << 20;
      const uploaded = await page.evaluate(upload, size);
      const bytes = Buffer.alloc(size).map((_, at) => at & 255);
      assert.deepEqual(
        [uploaded.status, uploaded.name, uploaded.method, uploaded.seen, uploaded.sha],
        [200, name, 'PUT', size, sha(bytes)],
      );
    }
    assert.deepEqual(homes.sort(), ['one', 'two']);
  },
);

scenario(
  'a page of another origin gets no session and reads nothing',
  needsBrowser,
  async (rig) => {
    const app = await site(rig);
    const foreign = await site(rig); // another site of the same kind
    const context = await visitor(rig);
    const page = await context.newPage();
    await page.goto(app.at('/')); // the certificate is taken
    assert.equal((await page.evaluate(trespass, `127.0.0.1:${app.port}`)).socket, 'open');
    await page.goto(foreign.at('/'));
    const tried = await page.evaluate(trespass, `127.0.0.1:${app.port}`);
    assert.deepEqual(tried, { socket: 1006, fetched: 'refused' });
    const denied = await app.fairlead.waitForLog((entry) => entry.reason === 'origin_denied');
    assert.deepEqual(
      [denied.status, denied.origin, denied.server],
      [403, foreign.origin, undefined],
    );
  },
);
