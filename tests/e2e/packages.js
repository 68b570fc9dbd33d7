// Installs what the working directory's package-lock.json names, unless it is there already: no network is needed then.

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';

const here = `${process.cwd()}/`;
const read = (file) => JSON.parse(fs.readFileSync(`${here}${file}`, 'utf8'));

function complete() {
  return Object.entries(read('package-lock.json').packages).every(([where, wanted]) => {
    if (!where) return true;
    return (
      fs.existsSync(`${here}${where}/package.json`) &&
      read(`${where}/package.json`).version === wanted.version
    );
  });
}

if (!complete()) {
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: here,
    stdio: 'inherit',
  });
  process.exit(status ?? 1);
}
