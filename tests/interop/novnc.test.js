// noVNC and websockify: a desktop in the browser, binary all the way.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { scenario } from '../e2e/lib/rig.js';
import { Client, random } from '../e2e/lib/sockets.js';
import { needsBrowser, visitor } from './lib/browser.js';
import { needs, serve } from './lib/child.js';
import { front } from './lib/front.js';
import { kHeight, kWidth, rfbServer } from './lib/rfb_server.js';

const options = needs('websockify', 'websockify');
const kNoVnc = fileURLToPath(new URL('node_modules/@novnc/novnc', import.meta.url));

const kPage = `<!doctype html><title>desktop</title><div id="screen"></div>
<script type="module">
import RFB from './core/rfb.js';
const rfb = new RFB(document.querySelector('#screen'), 'wss://' + location.host + '/websockify');
window.rfb = rfb;
window.seen = {};
for (const event of ['connect', 'disconnect', 'desktopname'])
  rfb.addEventListener(event, ({ detail }) => (window.seen[event] = detail ?? true));
</script>`;

const websockify = (rig, target, web) =>
  serve(rig, (port) => ({
    command: 'websockify',
    args: [...(web ? ['--web', web] : []), `127.0.0.1:${port}`, `127.0.0.1:${target}`],
  }));

scenario(
  'binary messages of every size through websockify to TCP and back',
  options,
  async (rig) => {
    const tcp = net.createServer((socket) => {
      rig.keep(socket);
      socket.on('error', () => {}).pipe(socket);
    });
    await new Promise((resolve) => tcp.listen(0, '127.0.0.1', resolve));
    rig.defer(() => tcp.close());
    const bridges = [
      await websockify(rig, tcp.address().port),
      await websockify(rig, tcp.address().port),
    ];
    const app = await front(
      rig,
      bridges.map((one) => one.where),
    );
    for (let i = 0; i < 2; ++i) {
      const client = await Client.open(rig, app.ws('/websockify'), ['binary']);
      assert.equal(client.socket.protocol, 'binary');
      const parts = [1, 125, 126, 65_535, 65_536, 500_000].map((size) => random(size));
      for (const part of parts) client.send(part);
      const all = Buffer.concat(parts);
      const got = () => Buffer.concat(client.messages.map((one) => one.data));
      await client.until(() => got().length === all.length, 'all of it');
      assert.ok(got().equals(all));
      assert.ok(client.messages.every((one) => one.binary));
      client.close(1000);
      await client.untilClosed();
    }
    await app.allUsed();
  },
);

scenario(
  'noVNC in a browser shows the picture and its keys arrive',
  { skip: options.skip || needsBrowser.skip },
  async (rig) => {
    // websockify serves the page too, as noVNC's own launcher lets it.
    const web = rig.directory();
    for (const folder of ['core', 'vendor'])
      fs.symlinkSync(path.join(kNoVnc, folder), path.join(web, folder));
    fs.writeFileSync(path.join(web, 'vnc.html'), kPage);
    const desktops = [
      await rfbServer(rig, 'first', [200, 30, 10]),
      await rfbServer(rig, 'second', [200, 30, 10]),
    ];
    const bridges = [];
    for (const { port } of desktops) bridges.push(await websockify(rig, port, web));
    const app = await front(
      rig,
      bridges.map((one) => one.where),
    );
    const context = await visitor(rig);
    const pages = [await context.newPage(), await context.newPage()];
    for (const page of pages) {
      await page.goto(app.at('/vnc.html'));
      await page.waitForFunction(() => window.seen?.connect && window.seen.desktopname);
      const pixel = await page.waitForFunction(() => {
        const canvas = document.querySelector('canvas');
        const at = canvas.getContext('2d').getImageData(canvas.width - 1, canvas.height - 1, 1, 1);
        return at.data[0] && [canvas.width, canvas.height, ...at.data];
      });
      assert.deepEqual(await pixel.jsonValue(), [kWidth, kHeight, 200, 30, 10, 255]);
      await page.evaluate(() => {
        for (const key of 'ok') window.rfb.sendKey(key.codePointAt(0));
      });
    }
    for (const desktop of desktops)
      await desktop.changes.until(() => desktop.keys.join('') === 'ok', 'the keys');
    for (const page of pages) {
      await page.evaluate(() => window.rfb.disconnect());
      await page.waitForFunction(() => window.seen.disconnect);
      assert.deepEqual(await page.evaluate(() => window.seen.disconnect), { clean: true });
    }
  },
);
