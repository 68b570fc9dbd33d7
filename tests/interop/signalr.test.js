// SignalR: Microsoft's client against two small servers that follow its protocol. It begins with a POST; what follows must
// reach the server that answered it.

import assert from 'node:assert/strict';
import { HttpTransportType, HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import { within } from '../e2e/lib/deadline.js';
import { scenario } from '../e2e/lib/rig.js';
import { front } from './lib/front.js';
import { signalRServer } from './lib/signalr_server.js';

const kSticky = 'sticky = { cookie = "fairlead" }';

async function site(rig) {
  const servers = [await signalRServer(rig, 'one'), await signalRServer(rig, 'two')];
  const app = await front(
    rig,
    servers.map((one) => one.where),
    { backend: kSticky },
  );
  return { servers, ...app };
}

async function connect(rig, app, transport, options = {}) {
  const hub = new HubConnectionBuilder()
    .withUrl(app.at('/hub'), { transport, ...options })
    .withAutomaticReconnect({ nextRetryDelayInMilliseconds: () => 50 })
    .configureLogging(LogLevel.None)
    .build();
  rig.defer(() => hub.stop());
  await within(hub.start(), 'the hub starts');
  return hub;
}

async function use(hub) {
  const name = await within(hub.invoke('Who'), 'an answer');
  const value = { text: 'grüße 😀', long: 'x'.repeat(50_000) };
  assert.deepEqual(await within(hub.invoke('Echo', value), 'an echo'), value);
  await assert.rejects(within(hub.invoke('Fail'), 'an error'), /no such luck/);
  const poked = new Promise((resolve) => hub.on('Poked', resolve));
  await hub.send('Poke', 7);
  assert.equal(await within(poked, 'a call of the server'), 7);
  const items = [];
  await within(
    new Promise((resolve, reject) =>
      hub.stream('Count', 20).subscribe({
        next: (item) => items.push(item),
        complete: resolve,
        error: reject,
      }),
    ),
    'a stream',
  );
  assert.equal(items.at(-1), 20);
  assert.equal(await hub.invoke('Who'), name);
  return name;
}

for (const transport of ['WebSockets', 'ServerSentEvents', 'LongPolling']) {
  scenario(`${transport}, kept to the server that negotiated`, async (rig) => {
    const app = await site(rig);
    const names = [];
    for (let i = 0; i < 4; ++i) {
      const hub = await connect(rig, app, HttpTransportType[transport]);
      names.push(await use(hub));
      await hub.stop();
    }
    assert.deepEqual(new Set(names), new Set(['one', 'two']));
    assert.deepEqual(
      app.servers.map((one) => one.strangers()),
      [0, 0],
    );
  });
}

scenario("the server's refusal of a connection it never negotiated is passed on", async (rig) => {
  const app = await site(rig);
  const refused = connect(rig, app, HttpTransportType.WebSockets, { skipNegotiation: true });
  await assert.rejects(refused);
  await app.fairlead.waitForLog((entry) => entry.status === 404 && entry.server);
});

scenario('a hub whose server died connects to the other by itself', async (rig) => {
  const app = await site(rig);
  const hub = await connect(rig, app, HttpTransportType.WebSockets);
  const home = await hub.invoke('Who');
  const back = new Promise((resolve) => hub.onreconnected(resolve));
  app.servers.find((one) => one.name === home).die();
  await within(back, 'reconnected');
  assert.notEqual(await use(hub), home);
});
