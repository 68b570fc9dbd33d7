// A real browser in front of `fairlead demo`.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import { chromium } from 'playwright-core';
import { kDeadline } from './lib/deadline.js';
import { Fairlead, scenario } from './lib/rig.js';
import { wsServer } from './lib/sockets.js';

const kChromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  (one) => fs.existsSync(one),
);
const options = { skip: !kChromium && 'no Chromium is installed' };

// `bypassCSP` where the test itself evaluates code in a page whose policy forbids that.
async function browserIn(rig, { bypassCSP = false } = {}) {
  const browser = await chromium.launch({
    executablePath: kChromium,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  rig.defer(() => browser.close());
  const context = await browser.newContext({ ignoreHTTPSErrors: true, bypassCSP });
  context.setDefaultTimeout(kDeadline);
  return context;
}

// An HTTP server with an empty page on every path; that of /sandboxed has the origin "null".
async function pages(rig) {
  const server = http.createServer((request, answer) => {
    if (request.url === '/sandboxed')
      answer.setHeader('Content-Security-Policy', 'sandbox allow-scripts');
    answer.setHeader('Content-Type', 'text/html').end('<!doctype html><title>page</title>');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  rig.defer(() => {
    server.close();
    server.closeAllConnections();
  });
  return server;
}

// The URL of a page of another origin.
const foreignPage = async (rig) => `http://127.0.0.1:${(await pages(rig)).address().port}/`;

// Fairlead, over TLS, in front of a page and an echo of its own.
async function site(rig) {
  const server = await pages(rig);
  await wsServer(rig, { server });
  return rig.run({ servers: [`127.0.0.1:${server.address().port}`], tls: rig.certificate().toml });
}

// Tries a WebSocket from within the page: 'open', or 'closed CODE'.
const attempt = (page, url) =>
  page.evaluate(
    (target) =>
      new Promise((resolve) => {
        const socket = new WebSocket(target);
        socket.onopen = () => resolve('open');
        socket.onclose = (event) => resolve(`closed ${event.code}`);
      }),
    url,
  );

const connected = (page) =>
  page.waitForFunction(() =>
    document.querySelector('#status')?.textContent.toLowerCase().includes('connected'),
  );

scenario("the demo's chat works between two pages", options, async (rig) => {
  const fairlead = await Fairlead.start(rig, ['demo', '--listen', '127.0.0.1:0']);
  const context = await browserIn(rig, { bypassCSP: true });
  const problems = [];
  const pages = [];
  for (let i = 0; i < 2; ++i) {
    const page = await context.newPage();
    page.on('pageerror', (error) => problems.push(String(error)));
    await page.goto(`https://127.0.0.1:${fairlead.port}/`);
    await connected(page);
    pages.push(page);
  }
  const [one, two] = pages;
  const said = async (from, to, text) => {
    await from.fill('input#message', text);
    await from.click('button#send');
    await to.waitForFunction(
      (want) =>
        [...document.querySelectorAll('#log > *')].some((item) => item.textContent.includes(want)),
      text,
    );
  };
  await said(one, two, 'hello from the first page');
  await said(two, one, 'grüße von der zweiten 😀');
  await one.waitForFunction(() =>
    [...document.querySelectorAll('#log > *')].some((item) =>
      item.textContent.includes('zweiten 😀'),
    ),
  );
  // Markup in a message stays text.
  await said(one, two, '<img src=x onerror="window.hacked = true">');
  assert.equal(await two.evaluate(() => window.hacked), undefined);
  assert.deepEqual(problems, []);
  // Its own page may connect, a foreign one not.
  const url = `wss://127.0.0.1:${fairlead.port}/chat`;
  assert.equal(await attempt(one, url), 'open');
  const foreign = await context.newPage();
  await foreign.goto(await foreignPage(rig));
  assert.equal(await attempt(foreign, url), 'closed 1006');
});

scenario(
  "a browser's messages pass, compressed as the ends agreed, and its Close ends the session",
  options,
  async (rig) => {
    const fairlead = await site(rig);
    const context = await browserIn(rig);
    const page = await context.newPage();
    const origin = `https://127.0.0.1:${fairlead.port}`;
    await page.goto(`${origin}/page`);
    const ended = await page.evaluate(
      (url) =>
        new Promise((resolve) => {
          const socket = new WebSocket(url);
          const got = [];
          socket.binaryType = 'arraybuffer';
          socket.onopen = () => {
            socket.send('grüße 😀');
            socket.send('x'.repeat(100_000));
            socket.send(new Uint8Array(70_000).fill(7));
          };
          socket.onmessage = (event) => {
            got.push(event.data.length ?? event.data.byteLength);
            if (got.length === 3) socket.close(4000, 'enough');
          };
          socket.onclose = (event) => resolve({ got, code: event.code, clean: event.wasClean });
        }),
      `wss://127.0.0.1:${fairlead.port}/echo`,
    );
    assert.deepEqual(ended, { got: ['grüße 😀'.length, 100_000, 70_000], code: 4000, clean: true });
    const entry = await fairlead.waitForClose();
    assert.deepEqual(
      [entry.origin, entry.close_code, entry.closed_by, entry.msgs_in, entry.msgs_out],
      [origin, 4000, 'client', 3, 3],
    );
  },
);

scenario('a page that is left ends its session', options, async (rig) => {
  const fairlead = await site(rig);
  const context = await browserIn(rig);
  const page = await context.newPage();
  await page.goto(`https://127.0.0.1:${fairlead.port}/page`);
  assert.equal(await attempt(page, `wss://127.0.0.1:${fairlead.port}/echo`), 'open');
  await page.goto('about:blank');
  const entry = await fairlead.waitForClose();
  assert.equal(entry.closed_by, 'client');
});

scenario('a page of a foreign origin is refused', options, async (rig) => {
  const fairlead = await site(rig);
  const context = await browserIn(rig);
  const url = `wss://127.0.0.1:${fairlead.port}/echo`;

  // The certificate is accepted here, so that nothing but the origin is in the way.
  const home = await context.newPage();
  await home.goto(`https://127.0.0.1:${fairlead.port}/page`);
  assert.equal(await attempt(home, url), 'open');

  const page = await context.newPage();
  const foreign = await foreignPage(rig);
  await page.goto(foreign);
  assert.equal(await attempt(page, url), 'closed 1006');
  await fairlead.waitForLog(
    (entry) => entry.reason === 'origin_denied' && entry.origin === foreign.slice(0, -1),
  );

  await page.goto(`${foreign}sandboxed`);
  assert.equal(await attempt(page, url), 'closed 1006');
  await fairlead.waitForLog((entry) => entry.reason === 'origin_denied' && entry.origin === 'null');
});
