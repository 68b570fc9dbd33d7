// Action Cable: Rails' own client against Debian's ruby-actioncable on Puma, with its check of the Origin.

import assert from 'node:assert/strict';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { Changes, within } from '../e2e/lib/deadline.js';
import { scenario } from '../e2e/lib/rig.js';
import { needs, serve } from './lib/child.js';
import { front } from './lib/front.js';

const options = needs('puma', 'puma ruby-actioncable');
const kRackup = fileURLToPath(new URL('lib/cable.ru', import.meta.url));

// The client believes it runs in a page.
globalThis.document ??= { visibilityState: 'visible' };
globalThis.addEventListener ??= () => {};
globalThis.removeEventListener ??= () => {};
const { adapters, createConsumer } = await import('@rails/actioncable');

async function site(rig, settings) {
  const servers = [];
  for (const name of ['one', 'two']) {
    const server = await serve(rig, (port) => ({
      command: 'puma',
      args: ['--bind', `tcp://127.0.0.1:${port}`, '--threads', '1:5', '--quiet', kRackup],
      cwd: path.dirname(kRackup),
      env: { APP_NAME: name, RACK_ENV: 'production' },
    }));
    servers.push(Object.assign(server, { name }));
  }
  const app = await front(
    rig,
    servers.map((one) => one.where),
    {
      route: 'path = "/cable"',
      ...settings,
    },
  );
  return { servers, ...app };
}

class User {
  got = [];
  connects = 0;
  lost = 0;
  rejected = false;
  #changes = new Changes();

  constructor(rig, app, name, { room = 'lobby', origin = app.origin } = {}) {
    // What a browser does by itself: it says where the page came from.
    adapters.WebSocket = class extends WebSocket {
      constructor(url, protocols) {
        super(url, protocols, { origin });
      }
    };
    this.consumer = createConsumer(app.ws(`/cable?user=${name}`));
    const note = (keep) => (value) => {
      keep(value);
      this.#changes.touch();
    };
    this.room = this.consumer.subscriptions.create(
      { channel: 'RoomChannel', room },
      {
        connected: note(() => (this.connects += 1)),
        disconnected: note(() => (this.lost += 1)),
        rejected: note(() => (this.rejected = true)),
        received: note((data) => this.got.push(data)),
      },
    );
    rig.defer(() => this.consumer.disconnect());
  }

  until(predicate, what) {
    return this.#changes.until(predicate, what, 20_000);
  }

  connected(times = 1) {
    return this.until(() => this.connects >= times, `subscribed ${times} times`);
  }

  async who() {
    this.room.perform('who');
    return this.until(() => this.got.find((one) => one.app), 'its server');
  }
}

// Whether a handshake of a page of `origin` is answered 101: the status.
const statusFor = (app, origin) =>
  within(
    new Promise((resolve, reject) => {
      const socket = new WebSocket(app.ws('/cable?user=x'), ['actioncable-v1-json'], { origin });
      socket.on('open', () => {
        socket.close();
        resolve(101);
      });
      socket.on('unexpected-response', (request, answer) => {
        resolve(answer.statusCode);
        request.destroy();
      });
      socket.on('error', reject);
    }),
    'an answer',
  );

scenario('rooms on two servers, whose own Origin check sees https', options, async (rig) => {
  const app = await site(rig);
  const users = [];
  for (const name of ['alice', 'bob', 'carol', 'dave']) {
    users.push(new User(rig, app, name));
    await users.at(-1).connected();
  }
  await app.allUsed();
  const homes = await Promise.all(users.map((one) => one.who()));
  assert.deepEqual(
    homes.map((one) => [one.user, one.ip]),
    ['alice', 'bob', 'carol', 'dave'].map((name) => [name, '127.0.0.1']),
  );
  // Without Redis between the servers, a broadcast stays within its own.
  users[0].room.perform('say', { text: 'grüße 😀' });
  for (const [n, one] of users.entries())
    if (homes[n].app === homes[0].app)
      await one.until(() => one.got.some((data) => data.text === 'grüße 😀'), 'the broadcast');
  const locked = new User(rig, app, 'eve', { room: 'locked' });
  await locked.until(() => locked.rejected, 'the rejection');
});

scenario(
  'a foreign origin is refused by Fairlead, or by Rails where Fairlead lets it',
  options,
  async (rig) => {
    const app = await site(rig);
    assert.equal(await statusFor(app, app.origin), 101);
    assert.equal(await statusFor(app, 'https://evil.example'), 403);
    const denied = await app.fairlead.waitForLog((entry) => entry.status === 403);
    assert.deepEqual([denied.reason, denied.server], ['origin_denied', undefined]);
    const open = await front(
      rig,
      app.servers.map((one) => one.where),
      {
        route: 'path = "/cable"\norigins = ["any"]',
      },
    );
    assert.equal(await statusFor(open, 'https://evil.example'), 404); // Action Cable's way to say no
  },
);

scenario(
  "the client's monitor sees the server's pings, and a crash; it comes back",
  options,
  async (rig) => {
    const app = await site(rig);
    const alice = new User(rig, app, 'alice');
    await alice.connected();
    const home = await alice.who();
    const { monitor } = alice.consumer.connection;
    // Action Cable pings every 3 s. That the monitor saw one is told by recordMessage alone.
    await within(
      new Promise((resolve) => {
        const record = monitor.recordMessage.bind(monitor);
        monitor.recordMessage = () => {
          record();
          resolve();
        };
      }),
      'a ping of the server',
    );
    await app.servers.find((one) => one.name === home.app).kill();
    await alice.until(() => alice.lost === 1, 'the loss');
    alice.consumer.connection.reopen(); // what the monitor does 6 s later
    await alice.connected(2);
    alice.got.length = 0;
    assert.notEqual((await alice.who()).app, home.app);
  },
);
