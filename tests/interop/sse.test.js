// Server-Sent Events: the eventsource package against two servers of one stream.

import assert from 'node:assert/strict';
import { EventSource } from 'eventsource';
import { Changes } from '../e2e/lib/deadline.js';
import { scenario } from '../e2e/lib/rig.js';
import { front } from './lib/front.js';
import { httpServer } from './lib/servers.js';

// A stream of numbered events that every server of it can continue from any number.
class Stream {
  events = [];
  listeners = new Set();

  publish(data) {
    this.events.push(data);
    for (const listener of this.listeners) listener(this.events.length);
  }

  async server(rig) {
    const server = await httpServer(rig, (request, answer) => {
      if (request.url === '/done') return void answer.writeHead(204).end(); // "do not come back"
      server.lastIds.push(request.headers['last-event-id']);
      answer.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
      answer.write('retry: 20\n: hello\n\n');
      const give = (n) => answer.write(`id: ${n}\ndata: ${this.events[n - 1]}\n\n`);
      for (let n = Number(request.headers['last-event-id'] ?? 0) + 1; n <= this.events.length; ++n)
        give(n);
      this.listeners.add(give);
      answer.on('close', () => {
        this.listeners.delete(give);
        server.left.touch();
      });
    });
    return Object.assign(server, { lastIds: [], left: new Changes() });
  }
}

class Listener {
  got = [];
  opens = 0;
  #changes = new Changes();

  constructor(rig, url) {
    this.source = new EventSource(url);
    rig.defer(() => this.source.close());
    this.source.onopen = () => {
      this.opens += 1;
      this.#changes.touch();
    };
    this.source.onmessage = ({ data, lastEventId }) => {
      this.got.push(`${lastEventId}: ${data}`);
      this.#changes.touch();
    };
    this.source.onerror = () => this.#changes.touch();
  }

  until(predicate, what) {
    return this.#changes.until(predicate, () => `${what}; got ${this.got}`);
  }
}

scenario('each event passes at once, and none is lost when a server dies', async (rig) => {
  const stream = new Stream();
  const servers = [await stream.server(rig), await stream.server(rig)];
  const app = await front(
    rig,
    servers.map((one) => one.where),
  );
  const listener = new Listener(rig, app.at('/events'));
  await listener.until(() => listener.opens === 1, 'open');
  // Each is waited for before the next exists: nothing is held back to fill a buffer.
  const want = [];
  const publish = async (text) => {
    stream.publish(text);
    want.push(`${want.length + 1}: ${text}`);
    await listener.until(() => listener.got.length === want.length, text);
  };
  for (const text of ['one', 'zwei', 'trois 😀']) await publish(text);
  const home = servers.find((one) => one.lastIds.length === 1);
  home.die();
  await listener.until(() => listener.opens === 2, 'open again');
  for (const text of ['four', 'five']) await publish(text);
  assert.deepEqual(listener.got, want);
  assert.deepEqual(servers.find((one) => one !== home).lastIds, ['3']);
});

scenario('what was published while nobody was connected comes with Last-Event-ID', async (rig) => {
  const stream = new Stream();
  const servers = [await stream.server(rig), await stream.server(rig)];
  const app = await front(
    rig,
    servers.map((one) => one.where),
  );
  const listener = new Listener(rig, app.at('/events'));
  stream.publish('before');
  await listener.until(() => listener.got.length === 1, 'the first');
  const home = servers.find((one) => one.lastIds.length === 1);
  home.die();
  stream.publish('meanwhile');
  await listener.until(() => listener.got.length === 2, 'the second');
  assert.deepEqual(listener.got, ['1: before', '2: meanwhile']);
});

scenario(
  'a listener that leaves is gone from its server, and 204 ends the retries',
  async (rig) => {
    const stream = new Stream();
    const server = await stream.server(rig);
    const app = await front(rig, [server.where]);
    const listeners = [];
    for (let i = 0; i < 3; ++i) {
      const one = new Listener(rig, app.at('/events'));
      await one.until(() => one.opens === 1, 'open');
      listeners.push(one);
    }
    assert.equal(stream.listeners.size, 3);
    listeners[1].source.close();
    await server.left.until(() => stream.listeners.size === 2, 'the server is told');
    stream.publish('to two');
    for (const one of [listeners[0], listeners[2]])
      await one.until(() => one.got.length === 1, 'it');
    const done = new Listener(rig, app.at('/done'));
    await done.until(() => done.source.readyState === EventSource.CLOSED, 'closed for good');
  },
);
