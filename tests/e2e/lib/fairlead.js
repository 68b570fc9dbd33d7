// The binary under test as a child process: started with a configuration, watched, stopped.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Changes } from './deadline.js';
import { Peer } from './peer.js';

export const kBinary = process.env.FAIRLEAD;

const kSanitizers = [
  'ERROR: AddressSanitizer',
  'ERROR: LeakSanitizer',
  'runtime error:',
  'WARNING: ThreadSanitizer',
];

export class Fairlead {
  stdout = '';
  stderr = '';
  log = []; // the access log's entries
  addresses = []; // of the listeners, in their order
  exit = null; // { code, signal }
  #changes = new Changes();
  #stopped = false;

  constructor(args, { env = {}, cwd, command = [kBinary] } = {}) {
    assert.ok(kBinary && fs.existsSync(kBinary), 'FAIRLEAD names the binary to test');
    const [program, ...all] = [...command, ...args];
    this.child = spawn(program, all, {
      env: { ...process.env, ...env },
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let line = '';
    this.child.stdout.setEncoding('utf8').on('data', (text) => {
      this.stdout += text;
      const lines = (line + text).split('\n');
      line = lines.pop();
      for (const whole of lines.filter((one) => one.startsWith('{')))
        this.log.push(JSON.parse(whole));
      this.#changes.touch();
    });
    this.child.stderr.setEncoding('utf8').on('data', (text) => {
      this.stderr += text;
      this.addresses = [...this.stderr.matchAll(/listening on (\S+?)[,;.]?(?=\s)/g)].map(
        (match) => match[1],
      );
      this.#changes.touch();
    });
    this.child.on('error', (error) => {
      this.stderr += String(error);
    });
    this.child.on('close', (code, signal) => {
      this.exit = { code, signal };
      this.#changes.touch();
    });
    children.add(this.child);
    this.child.on('exit', () => children.delete(this.child));
  }

  // Starts `fairlead run` with the TOML text and waits until its listeners are up; the rig stops it. `command`: what
  // stands before its arguments.
  static async run(rig, toml, { expectExit = 0, env, command } = {}) {
    const file = path.join(rig.directory(), 'fairlead.toml');
    fs.writeFileSync(file, toml);
    const listeners = toml.match(/^\s*\[\[listener\]\]/gm)?.length ?? 1;
    return Fairlead.start(rig, ['run', '-c', file], { expectExit, env, command, listeners });
  }

  static async start(rig, args, { expectExit = 0, env, command, listeners = 1 } = {}) {
    const fairlead = new Fairlead(args, { env, command, cwd: rig.directory() });
    rig.watch(fairlead);
    rig.defer(() => fairlead.stop(expectExit));
    await fairlead.until(() => fairlead.addresses.length >= listeners, `${listeners} listeners`);
    return fairlead;
  }

  // Runs a command to its end: { code, stdout, stderr }.
  static async command(rig, args, options = {}) {
    const fairlead = new Fairlead(args, { cwd: rig.directory(), ...options });
    rig.watch(fairlead);
    rig.defer(() => fairlead.child.kill('SIGKILL'));
    await fairlead.ended();
    fairlead.#checkSanitizers();
    return { code: fairlead.exit.code, stdout: fairlead.stdout, stderr: fairlead.stderr };
  }

  get port() {
    return this.portOf(0);
  }

  portOf(index) {
    return Number(this.addresses[index].match(/:(\d+)$/)[1]);
  }

  connect(options = {}) {
    return Peer.connect(options.target ?? this.portOf(options.listener ?? 0), options);
  }

  // As Changes.until, but fails at once when the process has ended meanwhile.
  until(predicate, what, ms) {
    return this.#changes.until(
      () => {
        const value = predicate();
        if (!value && this.exit && !this.#stopped)
          throw new Error(`fairlead ended (${JSON.stringify(this.exit)}) before: ${what}`);
        return value;
      },
      () => `${what}; access log: ${JSON.stringify(this.log.slice(-5))}`,
      ms,
    );
  }

  // The first access log entry the predicate accepts, now or later.
  waitForLog(predicate, what = `a log entry with ${predicate}`, ms) {
    return this.until(() => this.log.find(predicate), what, ms);
  }

  waitForClose(what = "a session's last log entry", ms) {
    return this.waitForLog((entry) => entry.event === 'close', what, ms);
  }

  signal(name) {
    this.child.kill(name);
  }

  async ended(ms) {
    this.#stopped = true;
    await this.#changes.until(() => this.exit, 'fairlead ends', ms);
    return this.exit.code;
  }

  // TERM, and KILL when it does not help. The exit code and the sanitizers' silence are checked.
  async stop(expectExit = 0) {
    this.#stopped = true;
    if (!this.exit) this.signal('SIGTERM');
    try {
      await this.#changes.until(() => this.exit, 'fairlead stops after TERM');
    } catch (error) {
      this.child.kill('SIGKILL');
      throw error;
    }
    this.#checkSanitizers();
    assert.deepEqual(this.exit, { code: expectExit, signal: null }, 'how fairlead ended');
  }

  #checkSanitizers() {
    for (const word of kSanitizers)
      assert.ok(!this.stderr.includes(word), `a sanitizer reported: ${word}`);
  }
}

// No child outlives the tests, whatever ends them.
const children = new Set();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});
for (const name of ['SIGTERM', 'SIGINT']) process.on(name, () => process.exit(1));

// The usual configuration: one listener, one route, one backend. Every argument is TOML text put into
// its table, apart from `servers` (addresses, or inline tables as text).
export function config({
  server = '',
  timeouts = '',
  address = '127.0.0.1:0',
  listener = '',
  tls,
  route = '',
  websocket = '',
  limits = '',
  servers = [],
  backend = '',
  more = '',
}) {
  const quoted = servers.map((one) => (one.startsWith('{') ? one : `"${one}"`)).join(', ');
  return `
[server]
${server.includes('workers') ? '' : 'workers = 2'}
${server.includes('drain') ? '' : 'drain = { deadline = "5s" }'}
${server}

[timeouts]
${timeouts}

[[listener]]
address = "${address}"
${listener}
${tls === undefined ? '' : `[listener.tls]\n${tls}`}

[[route]]
name = "chat"
backend = "pool"
${route}
[route.websocket]
${websocket}
[route.limits]
${limits}

[[backend]]
name = "pool"
servers = [${quoted}]
${backend}

${more}
`;
}
