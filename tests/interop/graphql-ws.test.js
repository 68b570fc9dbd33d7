// graphql-ws: subscriptions over the subprotocol graphql-transport-ws, and the close codes its clients act on.

import assert from 'node:assert/strict';
import { GraphQLInt, GraphQLObjectType, GraphQLSchema, GraphQLString } from 'graphql';
import { createClient } from 'graphql-ws';
import { useServer } from 'graphql-ws/lib/use/ws';
import { WebSocket, WebSocketServer } from 'ws';
import { within } from '../e2e/lib/deadline.js';
import { scenario } from '../e2e/lib/rig.js';
import { Client } from '../e2e/lib/sockets.js';
import { front } from './lib/front.js';
import { httpServer } from './lib/servers.js';

const kProtocol = 'graphql-transport-ws';

async function* count(_, { to }) {
  for (let n = 1; n <= to; ++n) yield { count: n };
}

async function* forEver() {
  for (let n = 1; ; ++n) {
    yield { ticks: n };
    await new Promise(setImmediate);
  }
}

const schema = new GraphQLSchema({
  query: new GraphQLObjectType({
    name: 'Query',
    fields: {
      hello: {
        type: GraphQLString,
        args: { name: { type: GraphQLString } },
        resolve: (_, { name }) => `hello ${name}`,
      },
    },
  }),
  subscription: new GraphQLObjectType({
    name: 'Subscription',
    fields: {
      count: { type: GraphQLInt, args: { to: { type: GraphQLInt } }, subscribe: count },
      ticks: { type: GraphQLInt, subscribe: forEver },
      slow: { type: GraphQLInt, subscribe: once },
    },
  }),
});

async function* once() {
  yield { slow: 1 };
  await new Promise(() => {}); // the next event never comes
}

// Two servers behind a route of the subprotocol. A client must say the password when it connects.
async function site(rig) {
  const servers = [];
  for (let i = 0; i < 2; ++i) {
    const server = await httpServer(rig);
    const sockets = new WebSocketServer({
      server,
      path: '/graphql',
      handleProtocols: (offered) => (offered.has(kProtocol) ? kProtocol : false),
    });
    const options = {
      schema,
      connectionInitWaitTimeout: 300,
      onConnect: ({ connectionParams }) => connectionParams?.password === 'right',
    };
    const handle = useServer(options, sockets);
    servers.push(Object.assign(server, { handle }));
  }
  const app = await front(
    rig,
    servers.map((one) => one.where),
    {
      route: `path = "/graphql"\nsubprotocols = ["${kProtocol}"]`,
    },
  );
  return { servers, ...app };
}

function client(rig, app, options = {}) {
  const made = createClient({
    url: app.ws('/graphql'),
    webSocketImpl: WebSocket,
    connectionParams: { password: 'right' },
    lazy: true,
    retryWait: async () => {},
    ...options,
  });
  rig.defer(() => made.dispose());
  return made;
}

// The server that took the first session.
async function homeOf({ fairlead, servers }) {
  const { server } = await fairlead.waitForLog((entry) => entry.event === 'open');
  return servers.find((one) => one.where === server);
}

async function all(subscription) {
  const got = [];
  for await (const one of subscription) got.push(one);
  return got;
}

scenario('queries and subscriptions, on two servers', async (rig) => {
  const app = await site(rig);
  for (let i = 0; i < 2; ++i) {
    const one = client(rig, app, { lazy: false });
    const query = { query: 'query ($n: String) { hello(name: $n) }', variables: { n: 'grüße' } };
    assert.deepEqual(await within(all(one.iterate(query)), 'a query'), [
      { data: { hello: 'hello grüße' } },
    ]);
    const both = await within(
      Promise.all([
        all(one.iterate({ query: 'subscription { count(to: 50) }' })),
        all(one.iterate({ query: 'subscription { count(to: 3) }' })),
      ]),
      'two subscriptions on one session',
    );
    assert.deepEqual(
      both.map((got) => got.at(-1).data.count),
      [50, 3],
    );
    // An endless one, left after five: the server stops, the session goes on.
    let seen = 0;
    for await (const tick of one.iterate({ query: 'subscription { ticks }' })) {
      seen = tick.data.ticks;
      if (seen === 5) break;
    }
    assert.equal(seen, 5);
    const wrong = await all(one.iterate({ query: '{ nothing }' })).catch((error) => error);
    assert.match(wrong[0]?.message, /nothing/);
  }
  await app.allUsed();
});

scenario('the close codes of the protocol reach the client', async (rig) => {
  const app = await site(rig);
  const init = JSON.stringify({
    type: 'connection_init',
    payload: { password: 'right' },
  });
  const ticks = JSON.stringify({
    id: 'same',
    type: 'subscribe',
    payload: { query: 'subscription { ticks }' },
  });
  const cases = [
    [4400, ['{"type":"nonsense"}']],
    [4401, [ticks]],
    [4403, ['{"type":"connection_init","payload":{"password":"wrong"}}']],
    [4408, []],
    [4409, [init, ticks, ticks]],
    [4429, [init, init]],
  ];
  for (const [code, messages] of cases) {
    const raw = await Client.open(rig, app.ws('/graphql'), [kProtocol]);
    for (const one of messages) {
      raw.send(one);
      if (one === init && code === 4409) await raw.message(0); // the acknowledgement
    }
    assert.equal((await raw.untilClosed()).code, code, JSON.stringify(messages));
  }
  // The client gives up on a refusal instead of trying again for ever.
  const refused = client(rig, app, { connectionParams: { password: 'wrong' } });
  const error = await all(refused.iterate({ query: '{ hello }' })).catch((event) => event);
  assert.deepEqual([error.code, error.reason], [4403, 'Forbidden']);
});

scenario('another subprotocol has no route here', async (rig) => {
  const app = await site(rig);
  await assert.rejects(Client.open(rig, app.ws('/graphql'), ['graphql-ws']), /answered 404/);
});

// 1001 is one of the codes after which graphql-ws connects again by itself. 1011 is none: it takes every 1xxx that means an
// error for final, whatever its options say. So after a crash the app has to subscribe again.
scenario('a subscription goes on at the other server when its own stops', async (rig) => {
  const app = await site(rig);
  const one = client(rig, app, { retryAttempts: 20 });
  let connected = 0;
  one.on('connected', () => (connected += 1));
  const ticks = one.iterate({ query: 'subscription { ticks }' });
  assert.equal((await ticks.next()).value.data.ticks, 1);
  const server = await homeOf(app);
  await server.handle.dispose(); // Close 1001, as any server does that is told to stop
  server.die();
  for await (const tick of ticks) if (connected === 2 && tick.data.ticks === 1) break;
  await app.allUsed();
});

scenario('a subscription whose server died ends with 1011; a new one works', async (rig) => {
  const app = await site(rig);
  const one = client(rig, app, { retryAttempts: 20 });
  const ticks = one.iterate({ query: 'subscription { slow }' });
  assert.equal((await ticks.next()).value.data.slow, 1);
  const server = await homeOf(app);
  server.die();
  const error = await within(
    ticks.next().catch((event) => event),
    'the end',
  );
  assert.equal(error.code, 1011);
  assert.deepEqual(await all(one.iterate({ query: '{ hello(name: "again") }' })), [
    { data: { hello: 'hello again' } },
  ]);
});
