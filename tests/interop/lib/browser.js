// Headless Chromium in front of the site.

import fs from 'node:fs';
import { chromium } from 'playwright-core';
import { kDeadline } from '../../e2e/lib/deadline.js';

const kChromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  (one) => fs.existsSync(one),
);

export const needsBrowser = {
  skip: !kChromium && !process.env.CI && 'Chromium is missing: apt-get install chromium',
};

const browsers = new WeakMap(); // one for each rig

// A visitor: pages with cookies of their own, which trust the test's certificates.
export async function visitor(rig) {
  if (!browsers.has(rig)) browsers.set(rig, await launch(rig));
  const context = await browsers.get(rig).newContext({ ignoreHTTPSErrors: true });
  context.setDefaultTimeout(kDeadline);
  return context;
}

async function launch(rig) {
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
  return browser;
}
