// The manual says what is true: each of its configurations loads, each link leads somewhere, and the table of what runs
// through Fairlead names the tests and versions that are here.
//
// A ```toml block is a whole file as a person would copy it. The certificates, keys and secrets it names, all relative to it,
// are made beside it.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Fairlead, scenario } from '../e2e/lib/rig.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const doc = path.join(here, '../../packaging/doc');
const pages = fs.readdirSync(doc).filter((name) => name.endsWith('.md'));
const textOf = (page) => fs.readFileSync(path.join(doc, page), 'utf8');

// A page's ```toml blocks, each with the line it begins at.
function examples(page) {
  const text = textOf(page);
  return [...text.matchAll(/^```toml\n(.*?)^```$/gms)].map((found) => ({
    toml: found[1],
    line: text.slice(0, found.index).split('\n').length + 1,
  }));
}

// Makes the files that a configuration in `folder` names.
function provide(rig, folder, toml) {
  const { cert, key } = rig.certificate();
  for (const [, option, name] of toml.matchAll(/(\w+) = "([^"]+\.(?:pem|secret))"/g)) {
    const file = path.join(folder, name);
    if (option === 'key') fs.copyFileSync(key, file);
    else if (name.endsWith('.pem')) fs.copyFileSync(cert, file);
    else fs.writeFileSync(file, `${'s'.repeat(44)}\n`, { mode: 0o600 });
  }
}

scenario('every ```toml block is a valid configuration', async (rig) => {
  let checked = 0;
  for (const page of pages) {
    for (const { toml, line } of examples(page)) {
      const folder = fs.mkdtempSync(path.join(rig.directory(), 'example-'));
      const file = path.join(folder, 'fairlead.toml');
      fs.writeFileSync(file, toml);
      provide(rig, folder, toml);
      const { code, stdout, stderr } = await Fairlead.command(rig, ['check', '-c', file]);
      assert.equal(code, 0, `${page}:${line}\n${stdout}${stderr}`);
      checked += 1;
    }
  }
  assert.ok(checked >= 9, `only ${checked} examples`);
});

scenario('every page of a framework has an example, and the manual links it', async () => {
  const links = [...textOf('manual.md').matchAll(/\]\(([^)#]+)/g)].map((found) => found[1]);
  for (const page of pages.filter((one) => one !== 'manual.md')) {
    assert.ok(links.includes(page), `${page} is linked from manual.md`);
    assert.ok(examples(page).length > 0, `${page} has an example`);
  }
});

scenario('every relative link leads to a file', async () => {
  for (const page of pages)
    for (const [, target] of textOf(page).matchAll(/\]\((?!\w+:)([^)#]+)/g))
      assert.ok(fs.existsSync(path.join(doc, target)), `${page} links to ${target}`);
});

scenario('the table of what runs names each test, and each package with its version', async () => {
  const table = textOf('manual.md').match(/^## What runs through it\n(.*?)(?=^## )/ms)[1];
  const tests = fs
    .readdirSync(here)
    .filter((name) => name.endsWith('.test.js') && name !== 'manual.test.js')
    .map((name) => name.slice(0, -'.test.js'.length));
  const named = [...table.matchAll(/\| `([\w-]+)` \|$/gm)].map((found) => found[1]);
  assert.deepEqual([...named].sort(), tests.sort());
  const { dependencies } = JSON.parse(fs.readFileSync(path.join(here, 'package.json'), 'utf8'));
  for (const [name, version] of Object.entries(dependencies))
    assert.ok(table.includes(`${name} ${version}`), `${name} ${version}`);
});
