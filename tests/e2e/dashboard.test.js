// The dashboard in a real browser: in front of Fairlead, and of a made-up endpoint with many sessions.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after } from 'node:test';
import { chromium } from 'playwright-core';
import { eventually, kDeadline } from './lib/deadline.js';
import { FakeAdmin, kPolicy, makeEnds, makeSessions } from './lib/fake_admin.js';
import { handshakeHead } from './lib/frames.js';
import { Fairlead, scenario } from './lib/rig.js';

const kChromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  (one) => fs.existsSync(one),
);
const options = { skip: !kChromium && 'no Chromium is installed' };
const kToken = 'correct-horse-battery-staple';
// Nothing may hide here as markup.
const kHostile = '<img src=x onerror="window.hacked=1">';

// One browser for all scenarios; a context each.
let browser;
async function openPage(rig, { width = 1280, height = 900, colorScheme = 'light' } = {}) {
  browser ??= await chromium.launch({
    executablePath: kChromium,
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });
  const context = await browser.newContext({ viewport: { width, height }, colorScheme });
  context.setDefaultTimeout(kDeadline);
  rig.defer(() => context.close());
  const page = await context.newPage();
  page.problems = [];
  page.asked = new Set();
  page.on('pageerror', (error) => page.problems.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') page.problems.push(message.text());
  });
  page.on('request', (request) => page.asked.add(new URL(request.url()).host));
  return page;
}
after(() => browser?.close());

// Fairlead with an admin endpoint on `port`: { fairlead, backend, url, port }.
async function start(rig, { port = 0, backend, ...settings } = {}) {
  backend ??= await rig.backend();
  const token = path.join(rig.directory(), 'admin.token');
  fs.writeFileSync(token, `${kToken}\n`, { mode: 0o600 });
  const fairlead = await rig.run({
    servers: [backend.address],
    more: `[admin]\nlisten = "127.0.0.1:${port}"\ntoken_file = "${token}"`,
    ...settings,
  });
  const address = await fairlead.until(
    () => fairlead.stderr.match(/admin endpoint on (\S+)/)?.[1],
    'the admin endpoint',
  );
  return { fairlead, backend, url: `http://${address}/`, port: Number(address.split(':')[1]) };
}

// Not waitForFunction: the page's policy forbids what it does.
const shows = (page, selector, text) =>
  eventually(
    async () => (await page.locator(selector).first().textContent()).includes(text),
    `${selector} shows ${text}`,
  );

const overflow = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);

scenario('it shows what is, as it changes, and asks nobody else', options, async (rig) => {
  const { fairlead, backend, url } = await start(rig);
  const page = await openPage(rig);
  const answer = await page.goto(url);
  assert.equal(answer.headers()['content-security-policy'], kPolicy);
  await shows(page, '#link', 'Live');
  assert.equal(await page.textContent('#cards .value'), '0');
  await shows(page, '#servers', backend.address);
  const { client } = await rig.session(fairlead, backend);
  await shows(page, '#cards .value', '1');
  await shows(page, '#servers-note', '1 of 1');
  client.destroy();
  await shows(page, '#ends', "The client's connection ended without a Close");
  const refused = await rig.connect(fairlead);
  refused.send(handshakeHead({ fields: { Origin: 'https://evil.example' } }));
  assert.equal((await refused.readHead()).status, 403);
  await shows(page, '#ends', 'origin https://evil.example');
  await page.check('#problems-only');
  assert.equal(await page.locator('#ends tr').count(), 1);
  assert.deepEqual(page.problems, []);
  assert.deepEqual([...page.asked], [new URL(url).host]);
  for (const selector of ['h1', 'h2', 'main', 'button', '[role=status]']) {
    assert.notEqual(await page.locator(selector).count(), 0, selector);
  }
});

scenario('a server is drained with the token, not without', options, async (rig) => {
  const { backend, url } = await start(rig);
  const page = await openPage(rig);
  await page.goto(url);
  const drain = page.getByRole('button', { name: `Drain: ${backend.address}` });
  // By the keyboard alone.
  await drain.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Drain', exact: true }).last().press('Enter');
  await page.fill('#token-value', 'wrong');
  await page.keyboard.press('Enter');
  await shows(page, '#token-text', 'refused');
  await page.fill('#token-value', kToken);
  await page.keyboard.press('Enter');
  await shows(page, '#servers', 'Drained');
  await shows(page, '#banners', 'no server that takes sessions');
  // It is not asked for twice, and a tab that is loaded again keeps it.
  await page.reload();
  await page.getByRole('button', { name: `Set ready: ${backend.address}` }).click();
  await shows(page, '#servers', 'Ready');
  // 401 is an answer that was asked for; nothing else went wrong.
  assert.deepEqual(
    page.problems.filter((one) => !one.includes('401')),
    [],
  );
});

scenario('it comes back by itself when Fairlead does', options, async (rig) => {
  const { fairlead, backend, url, port } = await start(rig);
  const page = await openPage(rig);
  await page.goto(url);
  await shows(page, '#link', 'Live');
  const pid = await page.textContent('#pid');
  await fairlead.stop();
  await shows(page, '#link', 'Connection lost, trying again');
  await shows(page, '#banners', 'No connection to Fairlead');
  await start(rig, { port, backend });
  await shows(page, '#link', 'Live');
  await eventually(async () => (await page.locator('.banner').count()) === 0, 'no banner');
  assert.notEqual(await page.textContent('#pid'), pid);
});

scenario('the demo prints a link that may change things', options, async (rig) => {
  const fairlead = await Fairlead.start(rig, ['demo', '--listen', '127.0.0.1:0']);
  const link = await fairlead.until(
    () => fairlead.stdout.match(/http:\/\/\S+#token=[0-9a-f]{32}/)?.[0],
    'the link',
  );
  const page = await openPage(rig);
  await page.goto(link);
  await shows(page, '#link', 'Live');
  await shows(page, '#listeners', 'days left');
  assert.equal(new URL(page.url()).hash, '');
  await page.locator('.backend button.small').first().click();
  await page.click('#ask-yes');
  await shows(page, '#servers', 'Drained');
  assert.deepEqual(page.problems, []);
});

scenario('5,000 sessions: pages, filter, close; narrow and dark too', options, async (rig) => {
  const fake = await FakeAdmin.listen(rig, {
    sessions: makeSessions(5000),
    ends: makeEnds(80),
    backlog: 900,
  });
  const page = await openPage(rig);
  await page.goto(fake.url);
  await shows(page, '#link', 'Live');
  assert.ok(
    !fake.requests.some((one) => one.includes('/api/sessions')),
    'asked for what nobody sees',
  );
  await page.locator('#sessions').scrollIntoViewIfNeeded();
  await shows(page, '#sessions-note', '5,000 sessions');
  assert.equal(await page.locator('#session-rows tr').count(), 25);
  await page.click('#next');
  await shows(page, '#page-note', '26 to 50 of 5,000');
  await page.fill('#filter-text', '198.51.100.7');
  await shows(page, '#sessions-note', '1 session found');
  await page.click('#session-rows button');
  await page.click('#ask-yes');
  await shows(page, '#sessions-empty', 'No session fits');
  assert.ok(fake.requests.some((one) => one.startsWith('DELETE /api/sessions/000002a000000007')));
  await page.getByRole('button', { name: /sessions of app-4\.internal:8080/ }).click();
  await shows(page, '#sessions-note', '1,000 sessions found');
  await page.click('#close-all');
  await page.click('#ask-yes');
  await shows(page, '#toasts', '1,000 closed.');
  assert.equal(await overflow(page), 0);
  await page.setViewportSize({ width: 390, height: 844 });
  assert.equal(await overflow(page), 0);
  await page.click('#theme');
  await page.click('#theme');
  assert.equal(
    await page.evaluate(() => getComputedStyle(document.body).backgroundColor),
    'rgb(12, 21, 25)',
  );
  assert.deepEqual(page.problems, []);
});

scenario(
  'names and reasons are text, whatever is in them; few sessions, none',
  options,
  async (rig) => {
    const sessions = makeSessions(3).map((one) => ({
      ...one,
      route: kHostile,
      path: kHostile,
      server: kHostile,
    }));
    const ends = makeEnds(3).map((one) => ({
      ...one,
      route: kHostile,
      close_reason: kHostile,
      text: kHostile,
    }));
    const backends = [
      {
        name: kHostile,
        servers: [{ address: kHostile, state: 'ready', weight: 1, sessions: 3, up: true, set: 'ready', checked: false }],
      },
    ];
    const status = {
      listeners: [{ address: kHostile, tls: true }],
      version: kHostile,
      last_reload: { ok: false, at: '', succeeded: 0, failed: 1 },
    };
    const fake = await FakeAdmin.listen(rig, { sessions, ends, backends, status });
    const page = await openPage(rig, { width: 390, height: 844, colorScheme: 'dark' });
    await page.goto(fake.url);
    await page.locator('#sessions').scrollIntoViewIfNeeded();
    await shows(page, '#session-rows', kHostile);
    await shows(page, '#ends', kHostile);
    await shows(page, '#servers', kHostile);
    await page
      .getByRole('button', { name: /Close the session/ })
      .first()
      .click();
    await shows(page, '#ask-text', kHostile);
    await page.keyboard.press('Escape');
    assert.equal(await page.locator('img[src=x]').count(), 0);
    assert.equal(await page.evaluate(() => window.hacked), undefined);
    assert.equal(await overflow(page), 0);
    assert.deepEqual(page.problems, []);

    const empty = await FakeAdmin.listen(rig, {});
    await page.goto(empty.url);
    await shows(page, '#link', 'Live');
    await page.locator('#sessions').scrollIntoViewIfNeeded();
    await shows(page, '#sessions-empty', 'No session is open');
    await shows(page, '#sessions-empty', 'wss://0.0.0.0:443');
    await shows(page, '#ends-empty', 'Nothing has ended');
  },
);
