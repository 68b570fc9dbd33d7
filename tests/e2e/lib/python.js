// python3-websockets as a child process: see python_peer.py.

import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { within } from './deadline.js';

// Debian's own interpreter: it has the package.
const kPython = '/usr/bin/python3';
const kScript = fileURLToPath(new URL('python_peer.py', import.meta.url));

export const havePython =
  spawnSync(kPython, ['-c', 'import websockets'], { stdio: 'ignore' }).status === 0;

function start(rig, args) {
  const child = spawn(kPython, [kScript, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  rig.keep({ destroy: () => child.kill('SIGKILL') });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors += text;
  });
  return { child, errors: () => errors };
}

// An echo server: its address.
export async function pythonServer(rig) {
  const { child, errors } = start(rig, ['server']);
  const line = await within(
    new Promise((resolve, reject) => {
      child.stdout.once('data', resolve);
      child.once('exit', () => reject(new Error(`python ended: ${errors()}`)));
    }),
    'the python server listens',
  );
  return `127.0.0.1:${Number(line)}`;
}

// The client's conversation with an echo server behind `url`: its findings.
export async function pythonClient(rig, url) {
  const { child, errors } = start(rig, ['client', url]);
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  const code = await within(
    new Promise((resolve) => child.once('close', resolve)),
    'the python client ends',
    20_000,
  );
  if (code !== 0) throw new Error(`the python client failed: ${errors()}`);
  return JSON.parse(out);
}
