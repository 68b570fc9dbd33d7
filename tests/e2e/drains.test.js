// Drains through the API and the commands: of servers, listeners and routes, at a rate, with their progress and
// undone; and what is asked for at the wrong time or by a wrong name.

import assert from 'node:assert/strict';
import { Admin } from './lib/admin.js';
import { eventually, moment } from './lib/deadline.js';
import { Op, handshakeHead } from './lib/frames.js';
import { scenario } from './lib/rig.js';
import { get } from './lib/requests.js';

// A server that agrees to handshakes, echoes text, and answers Closes and plain requests.
async function echo(rig) {
  return rig.backend({
    onPeer: async (peer) => {
      try {
        let head = await peer.readHead(3_600_000);
        while (!head.get('upgrade')) {
          peer.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage');
          head = await peer.readHead(3_600_000);
        }
        peer.answer101(head);
        for (;;) {
          const got = await peer.nextFrame(3_600_000);
          if (got === null) return;
          if (got.op === Op.text) peer.sendFrame({ op: got.op, payload: got.payload });
          if (got.op !== Op.close) continue;
          peer.sendFrame({ op: Op.close, payload: got.payload });
          peer.end();
        }
      } catch {
        peer.destroy();
      }
    },
  });
}

async function open(rig, { fairlead }, n = 1, options = {}) {
  const clients = [];
  for (let i = 0; i < n; ++i) {
    const client = await rig.connect(fairlead, options.connect);
    client.send(handshakeHead(options));
    assert.equal((await client.readHead()).status, 101);
    clients.push(client);
  }
  return clients;
}

// A handshake's answer, of a new connection.
async function answered(rig, { fairlead }, options = {}) {
  const client = await rig.connect(fairlead, options.connect);
  client.send(handshakeHead(options));
  const head = await client.readHead();
  client.destroy();
  return head;
}

async function speaks(client, text = 'as before') {
  client.sendText(text);
  await client.expectText(text);
}

const counted = (admin, id) =>
  eventually(async () => (await admin.drains()).find((one) => one.id === id && one.counted), 'counted');

scenario('a server is drained at a rate, which can be changed and undone', async (rig) => {
  const [one, two] = [await echo(rig), await echo(rig)];
  const admin = await Admin.start(rig, { servers: [one.address, two.address] });
  const clients = await open(rig, admin, 20);
  for (const client of clients) client.expectClosing(1012).catch(() => {});
  let { status, json } = await admin.setServer(one.address, { state: 'drain', rate: '1/h' });
  assert.equal(status, 200);
  assert.deepEqual([json.state, json.changed, json.drain.rate], ['drain', true, '1/h']);
  const { id } = json.drain;
  const drain = await counted(admin, id);
  assert.deepEqual([drain.what, drain.total, drain.left, drain.told], [`pool/${one.address}`, 10, 10, 0]);
  assert.deepEqual((await admin.ask('GET', '/api/status')).json.drains, [drain]);
  const shown = await admin.command('status');
  assert.ok(
    shown.stdout.includes(`\ndraining pool/${one.address}: 10 of 10 sessions left, 1/h\n`),
    shown.stdout,
  );

  // Twice: it is under way. Then at another rate.
  const again = await admin.command('drain', `pool/${one.address}`);
  assert.equal(again.stdout, `draining pool/${one.address}: under way already, at 1/h\n`);
  ({ json } = await admin.setServer(one.address, { state: 'drain' }));
  assert.deepEqual([json.changed, json.drain.id, json.drain.rate], [false, id, '1/h']);
  ({ json } = await admin.setServer(one.address, { state: 'drain', rate: '10/s' }));
  assert.deepEqual([json.changed, json.drain.id, json.drain.rate], [true, id, '10/s']);
  const some = await eventually(async () => {
    const [now] = await admin.drains();
    return now.told >= 2 && now;
  }, 'two have gone');
  assert.equal(some.total, 10);

  // Undone: those that are left stay, and it takes new ones.
  assert.equal((await admin.ask('DELETE', `/api/drains/${id}`)).status, 200);
  assert.deepEqual(await admin.drains(), []);
  await moment(300);
  const [server] = await admin.servers();
  assert.equal(server.state, 'ready');
  assert.ok(server.sessions >= 5 && server.sessions <= 8, `${server.sessions} stay`);
  await open(rig, admin, 8);
  assert.ok((await admin.servers())[0].sessions > server.sessions);

  const undone = await admin.command('drain', '--undo', `pool/${one.address}`);
  assert.deepEqual(
    [undone.code, undone.stdout],
    [0, `pool/${one.address} was not being drained: it takes new sessions\n`],
  );
});

scenario('a route is drained and undone, the other route serves on', async (rig) => {
  const server = await echo(rig);
  const admin = await Admin.start(rig, {
    servers: [server.address],
    more: '[[route]]\nname = "other"\npath = "/other"\nbackend = "pool"',
  });
  const [client] = await open(rig, admin);
  const [other] = await open(rig, admin, 1, { path: '/other' });
  const got = await admin.command('drain', '--route', 'chat', '--rate', '50/s');
  assert.deepEqual([got.code, got.stdout], [0, 'draining route chat, at 50/s\n']);
  await client.expectClosing(1012);
  const refused = await answered(rig, admin);
  assert.deepEqual([refused.status, refused.get('retry-after')], [503, '5']);
  await speaks(other);
  assert.equal((await answered(rig, admin, { path: '/other' })).status, 101);
  assert.match((await admin.command('status')).stdout, /^draining route chat: done, 1 moved$/m);
  // It outlives a reload.
  assert.equal((await admin.ask('POST', '/api/reload')).status, 200);
  assert.equal((await answered(rig, admin)).status, 503);
  const undone = await admin.command('drain', '--route', 'chat', '--undo');
  assert.equal(undone.stdout, 'route chat takes new sessions\n');
  assert.equal((await answered(rig, admin)).status, 101);
});

scenario('a listener is drained: 503, Connection: close, its sessions move', async (rig) => {
  const server = await echo(rig);
  const admin = await Admin.start(rig, {
    servers: [server.address],
    listener: '[[listener]]\naddress = "127.0.0.1:0"',
  });
  const [a, b] = admin.fairlead.addresses;
  const [client] = await open(rig, admin);
  const [other] = await open(rig, admin, 1, { connect: { listener: 1 } });
  const kept = await rig.connect(admin.fairlead);
  kept.send(get());
  assert.notEqual((await kept.readAnswer()).head.get('connection'), 'close');
  const waiting = admin.command('drain', '--listener', a, '--rate', 'off', '--wait');
  await client.expectClosing(1012);
  const got = await waiting;
  assert.equal(got.code, 0, got.stderr);
  assert.match(got.stdout, new RegExp(`^draining listener ${a}, all at once\n(.|\n)*: done, 1 moved\n$`));
  assert.equal((await answered(rig, admin)).status, 503);
  kept.send(get());
  const last = await kept.readAnswer();
  assert.deepEqual([last.status, last.head.get('connection')], [200, 'close']);
  await kept.expectEnd();
  await speaks(other);
  assert.equal((await answered(rig, admin, { connect: { listener: 1 } })).status, 101);
  assert.notEqual(a, b);
  assert.equal((await admin.command('drain', '--listener', a, '--undo')).code, 0);
  assert.equal((await answered(rig, admin)).status, 101);
});

scenario('the process ends at the rate it is told', async (rig) => {
  const server = await echo(rig);
  const admin = await Admin.start(rig, {
    servers: [server.address],
    server: 'drain = { deadline = "30s", rate = "1/h" }',
  });
  const clients = await open(rig, admin, 4);
  await admin.command('drain');
  const slow = (await admin.drains()).find((one) => one.what === 'all');
  assert.equal(slow.rate, '1/h');
  const refused = await admin.command('drain', `pool/${server.address}`);
  assert.match(refused.stderr, /the process is stopping/);
  assert.equal((await admin.ask('DELETE', `/api/drains/${slow.id}`)).status, 409);
  assert.equal((await admin.ask('POST', '/api/reload')).status, 409);
  assert.equal((await admin.ask('POST', `/api/backends/pool/servers/${server.address}`, { weight: 7 })).status, 409);
  // A service manager's TERM behind a drain that was asked for is no second signal.
  admin.fairlead.signal('SIGTERM');
  await admin.fairlead.until(
    () => admin.fairlead.stderr.includes('draining already'),
    'a word about the signal',
  );
  const waiting = admin.command('drain', '--rate', '20/s', '--wait');
  await Promise.all(clients.map((client) => client.expectClosing(1001)));
  assert.equal(await admin.fairlead.ended(), 0);
  assert.equal((await waiting).code, 0);
});

scenario('wrong names and wrong usage are told, with the names there are', async (rig) => {
  const admin = await Admin.start(rig, { servers: ['127.0.0.1:1', '127.0.0.1:2'] });
  const [listener] = admin.fairlead.addresses;
  for (const [path, text] of [
    ['/api/backends/nope/servers/x', 'there is no backend "nope": there is "pool"'],
    ['/api/backends/pool/servers/x', 'backend "pool" has no server "x": there are "127.0.0.1:1", "127.0.0.1:2"'],
    ['/api/listeners/x', `there is no listener "x": there is "${listener}"`],
    ['/api/routes/x', 'there is no route "x": there is "chat"'],
  ]) {
    for (const state of ['drain', 'ready']) {
      const { status, json } = await admin.ask('POST', path, { state });
      assert.deepEqual([status, json.error], [404, text]);
    }
  }
  const { status, json } = await admin.ask('DELETE', '/api/drains/7');
  assert.deepEqual([status, json.error], [404, 'there is no drain 7, there is none at all']);
  const wrong = await admin.command('drain', '--route', 'x');
  assert.deepEqual([wrong.code, wrong.stderr], [1, 'fairlead: there is no route "x": there is "chat"\n']);
  assert.match((await admin.command('drain', '--route', 'chat', '--rate', '5')).stderr, /rate must be such as/);
  for (const args of [
    ['--undo'],
    ['--route', 'chat', '--listener', listener],
    ['pool/x', '--undo', '--rate', '5/s'],
  ])
    assert.equal((await admin.command('drain', ...args)).code, 2, args.join(' '));
});

scenario('a reload during a reload is refused, and nothing is lost', async (rig) => {
  const server = await echo(rig);
  const admin = await Admin.start(rig, { servers: [server.address] });
  const [client] = await open(rig, admin);
  const answers = await Promise.all(
    Array.from({ length: 30 }, () => admin.ask('POST', '/api/reload')),
  );
  const good = answers.filter((one) => one.status === 200).length;
  for (const { status, json } of answers.filter((one) => one.status !== 200)) {
    assert.equal(status, 409);
    assert.equal(json.error, 'a reload is under way: ask again in a moment');
  }
  const { last_reload: last } = (await admin.ask('GET', '/api/status')).json;
  assert.ok(good >= 1);
  assert.deepEqual([last.ok, last.succeeded, last.failed], [true, good, 0]);
  await speaks(client);
});

scenario('fewer connections allowed than there are: all stay, no new ones until they fit', async (rig) => {
  const server = await echo(rig);
  const settings = { servers: [server.address] };
  const admin = await Admin.start(rig, { ...settings, server: 'max_connections = 100' });
  const clients = await open(rig, admin, 6);
  assert.equal((await admin.reload({ ...settings, server: 'max_connections = 4' })).status, 200);
  await admin.fairlead.until(
    () => admin.fairlead.stderr.match(/warning: max_connections is 4 now, and there are 6/),
    'a log line',
  );
  for (const client of clients) await speaks(client);
  const refused = await answered(rig, admin);
  assert.deepEqual([refused.status, refused.get('retry-after')], [503, '5']);
  for (const client of clients.splice(0, 2)) client.destroy();
  await admin.fairlead.until(
    () => admin.fairlead.log.filter((entry) => entry.event === 'close').length === 2,
    'two have gone',
  );
  assert.equal((await answered(rig, admin)).status, 503); // four of four
  clients.pop().destroy();
  await eventually(async () => (await answered(rig, admin)).status === 101, 'there is room again');
  for (const client of clients) await speaks(client);
});

scenario('a drain goes on through reloads, one that removes its server too', async (rig) => {
  const [one, two] = [await echo(rig), await echo(rig)];
  const settings = { servers: [one.address, two.address] };
  const admin = await Admin.start(rig, settings);
  const clients = await open(rig, admin, 6);
  await admin.setServer(one.address, { state: 'drain', rate: '1/h' });
  const asked = admin.ask('POST', '/api/reload');
  const [{ id }] = await admin.drains();
  assert.equal((await asked).status, 200);
  assert.equal((await counted(admin, id)).left, 3);
  assert.equal((await admin.servers())[0].state, 'drain');
  await admin.reload({ servers: [two.address] });
  assert.equal((await admin.servers()).length, 1);
  assert.equal((await admin.drains())[0].left, 3);
  for (const client of clients) await speaks(client);
  // It comes back ready, and none is told any more.
  await admin.reload(settings);
  assert.deepEqual([(await admin.servers())[0].state, await admin.drains()], ['ready', []]);
  // Drained and removed again: undone by its name all the same, or over with its last session.
  await admin.setServer(one.address, { state: 'drain', rate: '1/h' });
  await admin.reload({ servers: [two.address] });
  const undone = await admin.command('drain', '--undo', `pool/${one.address}`);
  assert.deepEqual([undone.code, await admin.drains()], [0, []]);
  await admin.reload(settings);
  assert.equal((await admin.servers())[0].state, 'ready');
  await admin.setServer(one.address, { state: 'drain', rate: '1/h' });
  await admin.reload({ servers: [two.address] });
  for (const client of clients) client.destroy();
  await eventually(async () => (await admin.drains()).length === 0, 'the drain is over');
});
