// Phoenix channels: the phoenix client against a small cluster of two that follows its protocol.

import assert from 'node:assert/strict';
import { Socket } from 'phoenix';
import { WebSocket } from 'ws';
import { Changes, within } from '../e2e/lib/deadline.js';
import { scenario } from '../e2e/lib/rig.js';
import { front } from './lib/front.js';
import { phoenixServer } from './lib/phoenix_server.js';

class User {
  shouts = [];
  joins = 0;
  closes = [];
  #changes = new Changes();

  constructor(rig, app, { token = 'right', ...options } = {}) {
    const note = (keep) => (value) => {
      keep(value);
      this.#changes.touch();
    };
    this.socket = new Socket(app.ws('/socket'), {
      transport: WebSocket,
      params: { token },
      reconnectAfterMs: () => 20,
      rejoinAfterMs: () => 20,
      ...options,
    });
    this.socket.onClose(note((event) => this.closes.push(event.code)));
    this.socket.connect();
    rig.defer(() => this.socket.disconnect());
    this.channel = this.socket.channel('room:lobby', {});
    this.channel.on(
      'shout',
      note((payload) => this.shouts.push(payload)),
    );
    this.channel.join().receive(
      'ok',
      note(() => (this.joins += 1)),
    );
  }

  until(predicate, what) {
    return this.#changes.until(predicate, what);
  }

  joined(times = 1) {
    return this.until(() => this.joins >= times, `joined ${times} times`);
  }

  shout(n) {
    return this.until(() => this.shouts[n], `shout ${n}`);
  }
}

const reply = (push, status = 'ok') =>
  within(new Promise((resolve) => push.receive(status, resolve)), `a reply ${status}`);

async function site(rig) {
  const topics = new Map();
  const servers = [await phoenixServer(rig, topics), await phoenixServer(rig, topics)];
  const app = await front(
    rig,
    servers.map((one) => one.where),
    { route: 'path = "/socket"' },
  );
  return { servers, ...app };
}

scenario('joins, pushes with replies and broadcasts between two servers', async (rig) => {
  const app = await site(rig);
  const alice = new User(rig, app);
  await alice.joined();
  const bob = new User(rig, app);
  await bob.joined();
  await app.allUsed();
  assert.deepEqual(await reply(alice.channel.push('ask', { n: 1 })), { you_said: { n: 1 } });
  await reply(alice.channel.push('shout', { text: 'grüße 😀' }));
  for (const one of [alice, bob]) assert.deepEqual(await one.shout(0), { text: 'grüße 😀' });
  const bytes = new Uint8Array([0, 255, 1, 0]);
  await reply(bob.channel.push('shout', bytes.buffer));
  assert.deepEqual(new Uint8Array(await alice.shout(1)), bytes);

  const secret = alice.socket.channel('room:secret', { secret: 'wrong' });
  assert.deepEqual(await reply(secret.join(), 'error'), { reason: 'unauthorized' });
  secret.leave();
  await reply(bob.channel.leave());
  await reply(alice.channel.push('shout', { text: 'alone' }));
  await alice.shout(2);
  assert.equal(bob.shouts.length, 2);
});

scenario(
  'heartbeats are answered; a dead server is replaced and the channel rejoined',
  async (rig) => {
    const app = await site(rig);
    const alice = new User(rig, app, { heartbeatIntervalMs: 50 });
    await alice.joined();
    const opened = await app.fairlead.waitForLog((entry) => entry.event === 'open');
    const home = app.servers.find((one) => one.where === opened.server);
    await within(
      new Promise((resolve) => {
        alice.socket.onMessage((message) => {
          if (message.topic === 'phoenix' && home.heartbeats >= 3) resolve();
        });
      }),
      'three heartbeats and an answer',
    );
    home.die();
    await alice.joined(2);
    await reply(alice.channel.push('shout', { text: 'still here' }));
    assert.deepEqual(await alice.shout(0), { text: 'still here' });
    assert.deepEqual(alice.closes, [1011]);
  },
);

scenario("the app's refusal of a connection is passed on", async (rig) => {
  const app = await site(rig);
  const socket = new WebSocket(app.ws('/socket/websocket?vsn=2.0.0&token=wrong'));
  const status = await within(
    new Promise((resolve) => {
      socket.on('error', () => {});
      socket.on('unexpected-response', (request, answer) => {
        resolve(answer.statusCode);
        request.destroy();
      });
    }),
    'an answer',
  );
  assert.equal(status, 403);
  const entry = await app.fairlead.waitForLog((one) => one.status === 403);
  assert.ok(entry.server, "it is the server's answer");
});
