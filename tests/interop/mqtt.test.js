// MQTT over WebSocket: two mosquitto brokers and the mqtt client.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import mqtt from 'mqtt';
import { Changes, within } from '../e2e/lib/deadline.js';
import { scenario } from '../e2e/lib/rig.js';
import { needs, serve } from './lib/child.js';
import { front } from './lib/front.js';

const options = needs('mosquitto', 'mosquitto');

const broker = (rig, name) =>
  serve(rig, (port) => {
    const file = path.join(rig.directory(), `${name}.conf`);
    const lines = [
      'allow_anonymous true',
      'persistence false',
      'user root',
      `listener 0 ${path.join(rig.directory(), `${name}.sock`)}`, // it starts with no WebSocket listener alone
      `listener ${port} 127.0.0.1`,
      'protocol websockets',
    ];
    fs.writeFileSync(file, `${lines.join('\n')}\n`);
    return { command: 'mosquitto', args: ['-c', file] };
  });

const changes = new Changes(); // of all subscribers

class Subscriber {
  got = [];
  pongs = 0;

  static async connect(rig, app, settings = {}) {
    const made = new Subscriber();
    made.client = mqtt.connect(app.ws('/mqtt'), {
      rejectUnauthorized: false,
      reconnectPeriod: 50,
      connectTimeout: 5000,
      ...settings,
    });
    rig.defer(() => made.client.end(true));
    made.client.on('error', () => {});
    made.client.on('message', (topic, payload, packet) => {
      made.got.push({ topic, payload, qos: packet.qos });
      changes.touch();
    });
    made.client.on('packetreceive', (packet) => {
      if (packet.cmd === 'pingresp') made.pongs += 1;
      changes.touch();
    });
    await within(
      new Promise((resolve) => made.client.once('connect', resolve)),
      'connected to the broker',
    );
    return made;
  }

  until(predicate, what) {
    return changes.until(predicate, what);
  }

  message(topic) {
    return this.until(() => this.got.find((one) => one.topic === topic), `a message on ${topic}`);
  }
}

async function site(rig) {
  const brokers = [await broker(rig, 'one'), await broker(rig, 'two')];
  const app = await front(
    rig,
    brokers.map((one) => one.where),
    {
      route: 'path = "/mqtt"\nsubprotocols = ["mqtt"]',
    },
  );
  return { brokers, ...app };
}

scenario('QoS 1 and 2, binary, retained, on two brokers', options, async (rig) => {
  const app = await site(rig);
  const clients = [];
  for (let i = 0; i < 4; ++i) clients.push(await Subscriber.connect(rig, app));
  await app.allUsed();
  // The clients took turns: the first and the third are at one broker.
  for (const [alice, bob] of [
    [clients[0], clients[2]],
    [clients[1], clients[3]],
  ]) {
    for (const one of [alice, bob]) await one.client.subscribeAsync('room/#', { qos: 2 });
    const bytes = randomBytes(20_000);
    await alice.client.publishAsync('room/binary', bytes, { qos: 1 }); // resolves with the PUBACK
    for (const one of [alice, bob]) {
      const got = await one.message('room/binary');
      assert.ok(got.payload.equals(bytes));
      assert.equal(got.qos, 1);
    }
    await bob.client.publishAsync('room/back', 'grüße', { qos: 2, retain: true });
    assert.equal((await alice.message('room/back')).payload.toString(), 'grüße');
    await alice.client.subscribeAsync('room/back');
    await alice.until(
      () => alice.got.filter((one) => one.topic === 'room/back').length === 2,
      'the retained message',
    );
  }
});

scenario('the keep-alive holds, and a lost client leaves its last will', options, async (rig) => {
  const app = await site(rig);
  const watchers = [await Subscriber.connect(rig, app), await Subscriber.connect(rig, app)];
  for (const one of watchers) await one.client.subscribeAsync('gone', { qos: 1 });
  const quiet = await Subscriber.connect(rig, app, {
    keepalive: 1,
    reconnectPeriod: 0,
    will: { topic: 'gone', payload: 'quiet', qos: 1 },
  });
  // The broker gives up a client that is silent for 1.5 times its keep-alive.
  await quiet.until(() => quiet.pongs >= 2, 'two PINGRESP');
  assert.equal(quiet.client.connected, true);
  quiet.client.stream.destroy();
  // One of the two is at its broker.
  const heard = await changes.until(() => watchers.flatMap((one) => one.got)[0], 'the last will');
  assert.equal(heard.payload.toString(), 'quiet');
});

scenario('a client whose broker died goes on at the other', options, async (rig) => {
  const app = await site(rig);
  const one = await Subscriber.connect(rig, app);
  await one.client.subscribeAsync('after', { qos: 1 });
  const opened = await app.fairlead.waitForLog((entry) => entry.event === 'open');
  const again = new Promise((resolve) => one.client.once('connect', resolve));
  await app.brokers.find(({ where }) => where === opened.server).kill();
  await within(again, 'connected again');
  // The client subscribes again by itself; what it publishes comes back.
  await one.client.subscribeAsync('after', { qos: 1 });
  await one.client.publishAsync('after', 'still here', { qos: 1 });
  assert.equal((await one.message('after')).payload.toString(), 'still here');
});
