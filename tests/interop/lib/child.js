// Programs of others as child processes: servers on a free port, clients run to their end. None outlives its scenario.

import { spawn, spawnSync } from 'node:child_process';
import net from 'node:net';
import { deadPort } from '../../e2e/lib/backend.js';
import { Changes, eventually, within } from '../../e2e/lib/deadline.js';

// A scenario's options: skipped where the program is missing, but never in CI, where packaging/test installs it.
export function needs(program, debian) {
  const found = spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0;
  return { skip: !found && !process.env.CI && `${program} is missing: apt-get install ${debian}` };
}

export class Child {
  output = '';
  exit = null;
  #changes = new Changes();

  constructor(rig, command, args, { cwd, env = {} } = {}) {
    // A process group of its own: what the program starts ends with it.
    this.child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream.setEncoding('utf8').on('data', (text) => {
        this.output += text;
        this.#changes.touch();
      });
    const ended = (exit) => {
      this.exit ??= exit;
      running.delete(this);
      this.#changes.touch();
    };
    this.child.on('error', (error) => ended({ error }));
    this.child.on('close', (code, signal) => ended({ code, signal }));
    running.add(this);
    rig.defer(() => this.kill());
  }

  until(predicate, what, ms) {
    return this.#changes.until(
      predicate,
      () => `${what}; it said: ${this.output.slice(-2000)}`,
      ms,
    );
  }

  signal(name) {
    try {
      process.kill(-this.child.pid, name);
    } catch {
      this.child.kill(name); // the group is gone, or never was
    }
  }

  // Ends it as a crash would, and waits for that.
  async kill() {
    if (this.exit) return;
    this.signal('SIGKILL');
    await this.until(() => this.exit, 'a killed child ends');
  }

  async ended(ms = 20_000) {
    return this.until(() => this.exit, 'the program ends', ms);
  }
}

const running = new Set();
process.on('exit', () => running.forEach((one) => one.signal('SIGKILL')));

// Starts what `command(port)` says, { command, args, ... }, and waits until it listens there: a Child with `port` and
// `where`. Another process may take a port before the program does: then it is tried on another one.
export async function serve(rig, command) {
  for (let tries = 0; ; ++tries) {
    const port = await deadPort();
    const { command: name, args, ...options } = await command(port);
    const child = new Child(rig, name, args, options);
    const listens = await eventually(
      async () => (child.exit ? 'ended' : await connects(port)),
      `${name} listens on ${port}`,
      20_000,
    );
    if (listens !== 'ended' && !child.exit)
      return Object.assign(child, { port, where: `127.0.0.1:${port}` });
    if (tries === 3 || child.exit.error)
      throw new Error(`${name} ended: ${JSON.stringify(child.exit)} ${child.output}`);
  }
}

const connects = (port) =>
  within(
    new Promise((resolve) => {
      const socket = net.connect({ host: '127.0.0.1', port });
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    }),
    `an answer from port ${port}`,
  );
