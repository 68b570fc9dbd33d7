// STOMP 1.2: stompjs against a small broker that has two servers.

import assert from 'node:assert/strict';
import { Client as Stomp } from '@stomp/stompjs';
import { WebSocket } from 'ws';
import { Changes, within } from '../e2e/lib/deadline.js';
import { scenario } from '../e2e/lib/rig.js';
import { front } from './lib/front.js';
import { stompServer } from './lib/stomp_server.js';

class User {
  got = [];
  connects = 0;
  errors = [];
  closes = [];
  receipts = [];
  #changes = new Changes();

  constructor(rig, app, options = {}) {
    const note = (keep) => (value) => {
      keep(value);
      this.#changes.touch();
    };
    this.stomp = new Stomp({
      webSocketFactory: () => new WebSocket(app.ws('/stomp'), ['v12.stomp', 'v11.stomp']),
      reconnectDelay: 20,
      onConnect: note(() => {
        this.connects += 1;
        this.stomp.subscribe(
          '/topic/room',
          note((message) => this.#take(message)),
          {
            ack: 'client-individual',
          },
        );
        // The server answers in order: with this receipt, the subscription stands.
        this.stomp.watchForReceipt(
          'ready',
          note(() => this.receipts.push(this.connects)),
        );
        this.stomp.publish({ destination: '/topic/none', headers: { receipt: 'ready' } });
      }),
      onStompError: note((frame) => this.errors.push(frame.headers.message)),
      onWebSocketClose: note((event) => this.closes.push(event.code)),
      ...options,
    });
    this.stomp.activate();
    rig.defer(() => this.stomp.deactivate({ force: true }));
  }

  #take(message) {
    this.got.push({ text: message.body, bytes: message.binaryBody, headers: message.headers });
    message.ack();
  }

  until(predicate, what) {
    return this.#changes.until(predicate, what);
  }

  ready(times = 1) {
    return this.until(() => this.receipts.includes(times), `subscribed ${times} times`);
  }

  message(text) {
    return this.until(() => this.got.find((one) => one.text === text), `the message ${text}`);
  }

  say(body, headers = {}) {
    this.stomp.publish({ destination: '/topic/room', body, headers });
  }
}

async function site(rig, options) {
  const topics = new Map();
  const servers = [
    await stompServer(rig, topics, options),
    await stompServer(rig, topics, options),
  ];
  const app = await front(
    rig,
    servers.map((one) => one.where),
    { route: 'path = "/stomp"' },
  );
  return { servers, ...app };
}

scenario('messages, headers, receipts and ACKs between users of two servers', async (rig) => {
  const app = await site(rig);
  const alice = new User(rig, app);
  await alice.ready();
  const bob = new User(rig, app);
  await bob.ready();
  await app.allUsed();
  alice.say('grüße 😀', { 'x-odd': 'a:b\nc\\d' });
  const got = await bob.message('grüße 😀');
  assert.equal(got.headers['x-odd'], 'a:b\nc\\d');
  bob.say('x'.repeat(200_000));
  await alice.message('x'.repeat(200_000));
  const bytes = new Uint8Array([0, 1, 255, 0]);
  bob.stomp.publish({ destination: '/topic/room', binaryBody: bytes });
  await alice.until(
    () => alice.got.some((one) => Buffer.from(one.bytes).equals(Buffer.from(bytes))),
    'bytes',
  );
  const gone = new Promise((resolve) => (bob.stomp.onDisconnect = resolve));
  await bob.stomp.deactivate();
  await gone; // the receipt of DISCONNECT
  assert.ok(app.servers.every((one) => one.acknowledged.length > 0));
});

scenario('heart-beats pass both ways', async (rig) => {
  const app = await site(rig, { beat: 400 });
  let beats = 0;
  let beaten;
  const enough = new Promise((resolve) => (beaten = resolve));
  const alice = new User(rig, app, {
    heartbeatIncoming: 400, // the client gives up a server that is silent for twice as long
    heartbeatOutgoing: 400,
    debug: (line) => {
      if (line === '<<< PONG' && (beats += 1) === 3) beaten();
    },
  });
  await alice.ready();
  await within(enough, 'three heart-beats');
  assert.equal(alice.connects, 1);
  assert.ok(app.servers.some((one) => one.beats > 0));
});

scenario('a refusal names its reason', async (rig) => {
  const app = await site(rig);
  const nobody = new User(rig, app, { connectHeaders: { login: 'nobody' }, reconnectDelay: 0 });
  await nobody.until(() => nobody.errors.length && nobody.closes.length, 'the refusal');
  assert.deepEqual([nobody.errors, nobody.closes], [['Access refused'], [1002]]);
});

scenario('a server that died is replaced by the other', async (rig) => {
  const app = await site(rig);
  const alice = new User(rig, app);
  await alice.ready();
  const opened = await app.fairlead.waitForLog((entry) => entry.event === 'open');
  app.servers.find((one) => one.where === opened.server).die();
  await alice.ready(2);
  alice.say('still here');
  await alice.message('still here');
  assert.deepEqual(alice.closes, [1011]);
});
