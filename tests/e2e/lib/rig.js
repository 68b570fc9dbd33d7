// What a scenario needs and cleans up after itself, whatever happens in it.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { RawBackend } from './backend.js';
import { Fairlead, config } from './fairlead.js';
import { Peer } from './peer.js';

export class Rig {
  #deferred = [];
  #watched = [];
  #peers = [];
  #opening = Promise.resolve();
  #directory;

  // Run at the end, the last first.
  defer(action) {
    this.#deferred.push(action);
  }

  watch(fairlead) {
    this.#watched.push(fairlead);
  }

  // A temporary directory of this scenario.
  directory() {
    if (!this.#directory) {
      this.#directory = fs.mkdtempSync(path.join(os.tmpdir(), 'fairlead-e2e-'));
    }
    return this.#directory;
  }

  // A throw-away certificate for chat.example.com and 127.0.0.1: { cert, key } as paths, and the TOML line.
  certificate() {
    const cert = path.join(this.directory(), 'cert.pem');
    const key = path.join(this.directory(), 'key.pem');
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=chat.example.com',
        '-addext',
        'subjectAltName=DNS:chat.example.com,IP:127.0.0.1',
        '-keyout',
        key,
        '-out',
        cert,
      ],
      { stdio: 'ignore' },
    );
    return { cert, key, toml: `certificates = [{ cert = "${cert}", key = "${key}" }]` };
  }

  // --- shorthands ---

  backend(options) {
    return RawBackend.listen(this, options);
  }

  // Fairlead in front of the servers given in `settings.servers` (see config()).
  run(settings, options) {
    return Fairlead.run(this, config(settings), options);
  }

  // One raw backend with Fairlead in front of it.
  async pair(settings = {}, options) {
    const backend = await this.backend();
    const fairlead = await this.run({ servers: [backend.address], ...settings }, options);
    return { backend, fairlead };
  }

  async connect(fairlead, options) {
    const peer = await fairlead.connect(options);
    this.keep(peer);
    return peer;
  }

  keep(peer) {
    this.#peers.push(peer);
    return peer;
  }

  // An open session between a raw client and a raw backend. options.handshake: see handshakeHead;
  // options.answer: see acceptUpgrade.
  // One is opened after the other, so that the ends belong together.
  session(fairlead, backend, options) {
    const opened = this.#opening.then(() => this.#open(fairlead, backend, options));
    this.#opening = opened.catch(() => {});
    return opened;
  }

  async #open(fairlead, backend, { connect, handshake, answer } = {}) {
    const client = await this.connect(fairlead, connect);
    const upgraded = client.upgrade(handshake);
    upgraded.catch(() => {});
    const server = await backend.accept();
    const request = await server.acceptUpgrade(answer);
    const head = await upgraded;
    return { client, server, request, head };
  }

  async finish() {
    const problems = [];
    for (const peer of this.#peers) peer.destroy();
    for (const action of this.#deferred.reverse()) {
      try {
        await action();
      } catch (error) {
        problems.push(error);
      }
    }
    if (this.#directory) fs.rmSync(this.#directory, { recursive: true, force: true });
    return problems;
  }

  transcript() {
    return this.#watched
      .map(
        (one) =>
          `--- fairlead ${one.child.spawnargs.slice(1).join(' ')}: exit ${JSON.stringify(one.exit)}\n${one.stderr.slice(-4000)}`,
      )
      .join('\n');
  }
}

// A test with a rig of its own; a failure shows what Fairlead said.
export function scenario(name, options, body = options) {
  test(name, typeof options === 'function' ? {} : options, async (t) => {
    const rig = new Rig();
    let failure;
    try {
      await body(rig, t);
    } catch (error) {
      failure = error;
    }
    const problems = await rig.finish();
    failure ??= problems[0];
    if (failure) {
      if (failure instanceof Error) failure.message += `\n${rig.transcript()}`;
      throw failure;
    }
  });
}

export { Fairlead, Peer, RawBackend, config };
