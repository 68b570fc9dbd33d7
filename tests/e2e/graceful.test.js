// A graceful end loses no message of a client: what it sent before it answered its Close is at the server, counted to the
// message, while many sessions talk as fast as they can.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setImmediate as breath } from 'node:timers/promises';
import { eventually } from './lib/deadline.js';
import { Op, handshakeHead } from './lib/frames.js';
import { kBinary } from './lib/fairlead.js';
import { config, scenario } from './lib/rig.js';

const kSessions = 30;
const kBatch = 5; // messages in one piece
const kEver = 3_600_000;

// A server that keeps an account of each session: how many messages came, in order, before its Close.
class Accounts {
  received = new Map(); // session -> messages
  closes = new Map(); // session -> code

  async listen(rig) {
    this.backend = await rig.backend({ onPeer: (peer) => this.serve(peer).catch(() => peer.destroy()) });
    return this.backend.address;
  }

  async serve(peer) {
    const request = await peer.readHead(kEver);
    const session = request.target;
    peer.answer101(request);
    for (let count = 0; ; ++count) {
      const got = await peer.nextFrame(kEver);
      if (got === null) return;
      if (got.op === Op.close) {
        this.closes.set(session, got.code);
        peer.sendFrame({ op: Op.close, payload: got.payload });
        return peer.end();
      }
      assert.equal(got.payload.toString(), `${session} ${count}`);
      this.received.set(session, count + 1);
      if (count % 50 === 0) peer.sendText('so many'); // it talks, too
    }
  }
}

// A client that talks until it reads its Close, and then answers. Resolves with the Close's code once TCP has ended.
async function talk(client, session, sent) {
  let close = null;
  const reading = (async () => {
    while (close === null) {
      const got = await client.nextFrame(kEver);
      assert.ok(got, 'ended without a Close');
      if (got.op === Op.close) close = got;
    }
  })();
  let count = 0;
  while (close === null) {
    const pieces = [];
    for (let i = 0; i < kBatch; ++i) pieces.push(client.build({ payload: `${session} ${count++}` }));
    client.send(Buffer.concat(pieces));
    sent.set(session, count);
    await breath();
    while (client.socket.writableLength > 65_536 && close === null) await breath();
  }
  await reading;
  client.sendFrame({ op: Op.close, payload: close.payload });
  await client.expectEnd();
  client.end();
  return close.code;
}

async function check(rig, settings, code, act, connect) {
  const servers = new Accounts();
  const address = await servers.listen(rig);
  const all = { server: 'workers = 2\ndrain = { deadline = "30s", rate = "off" }', ...settings };
  all.servers = [address];
  const fairlead = await rig.run(all);
  const sent = new Map();
  const talking = [];
  for (let i = 0; i < kSessions; ++i) {
    const client = await rig.connect(fairlead, connect);
    client.send(handshakeHead({ path: `/${i}` }));
    assert.equal((await client.readHead()).status, 101);
    talking.push(talk(client, `/${i}`, sent));
  }
  await eventually(() => [...sent.values()].every((n) => n >= 100), 'a hundred messages of each');
  await act(fairlead, all, address);
  const codes = await Promise.all(talking);
  assert.deepEqual(new Set(codes), new Set([code]));
  await eventually(() => servers.closes.size === kSessions, "each server's Close");
  assert.deepEqual(new Set(servers.closes.values()), new Set([1001]));
  assert.deepEqual(Object.fromEntries(servers.received), Object.fromEntries(sent));
  return fairlead;
}

const stop = async (fairlead) => fairlead.signal('SIGTERM');

for (const [name, tls] of [
  ['plain', () => undefined],
  ['TLS', (rig) => rig.certificate().toml],
  ['compact TLS', (rig) => `${rig.certificate().toml}\ncompact = true`],
]) {
  scenario(`at TERM not a message of a client is lost: ${name}`, async (rig) => {
    const toml = tls(rig);
    const fairlead = await check(rig, { tls: toml }, 1001, stop, toml && { tlsOptions: {} });
    assert.equal(await fairlead.ended(), 0);
    const lines = fairlead.log.filter((entry) => entry.event === 'close');
    for (const entry of lines)
      assert.deepEqual([entry.reason, entry.close_code, entry.closed_by], ['stopping', 1001, 'proxy']);
  });
}

const admin = (rig) => `unix:${path.join(rig.directory(), 'admin.sock')}`;
const command = (rig, ...args) =>
  new Promise((resolve, reject) => {
    execFile(kBinary, [...args, '--admin', admin(rig)], (error) => (error ? reject(error) : resolve()));
  });

scenario('a drain by the API loses not a message of a client', async (rig) => {
  const more = `[admin]\nlisten = "${admin(rig)}"`;
  await check(rig, { more }, 1012, async () => command(rig, 'drain', '--route', 'chat', '--rate', 'off'));
});

scenario('nor does a reload that removes their server', async (rig) => {
  await check(rig, {}, 1012, async (fairlead, settings) => {
    const text = config({ ...settings, servers: ['127.0.0.1:1'] });
    fs.writeFileSync(path.join(rig.directory(), 'fairlead.toml'), text);
    fairlead.signal('SIGHUP');
  });
});

scenario('nor does an upgrade', async (rig) => {
  const fairlead = await check(rig, {}, 1012, async (old) => {
    rig.defer(() => {
      for (const [, pid] of old.stderr.matchAll(/upgrade: process (\d+) starts/g)) process.kill(Number(pid), 'SIGTERM');
    });
    old.signal('SIGUSR2');
  });
  await eventually(() => fairlead.child.exitCode !== null, 'the old process ends');
  assert.equal(fairlead.child.exitCode, 0);
});
