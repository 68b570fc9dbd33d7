// The command line: what each command prints and how it exits.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { within } from './lib/deadline.js';
import { Fairlead, config, scenario } from './lib/rig.js';
import { Client, wsServer } from './lib/sockets.js';

function write(rig, text, name = 'fairlead.toml') {
  const file = path.join(rig.directory(), name);
  fs.writeFileSync(file, text);
  return file;
}

scenario('--version and --help', async (rig) => {
  const version = await Fairlead.command(rig, ['--version']);
  assert.equal(version.code, 0);
  assert.match(version.stdout, /\d+\.\d+\.\d+/);
  const help = await Fairlead.command(rig, ['--help']);
  assert.equal(help.code, 0);
  for (const command of ['run', 'check', 'demo', 'proxy', 'reference'])
    assert.match(help.stdout, new RegExp(`\\b${command}\\b`));
});

scenario('wrong usage exits with 2', async (rig) => {
  for (const args of [
    ['--nonsense'],
    ['nonsense'],
    ['run', '--nonsense'],
    ['check', 'too', 'many', 'words'],
    ['proxy'],
    ['run', '-c'],
  ]) {
    const { code, stderr } = await Fairlead.command(rig, args);
    assert.equal(code, 2, args.join(' '));
    assert.ok(stderr.length > 0, args.join(' '));
  }
});

scenario('check accepts a right file', async (rig) => {
  const file = write(rig, config({ servers: ['127.0.0.1:1'] }));
  const { code, stdout, stderr } = await Fairlead.command(rig, ['check', '-c', file]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /fairlead\.toml: configuration OK/);
});

scenario('check shows every error with its place and its line, and exits with 1', async (rig) => {
  const file = write(
    rig,
    `[server]
workers = "many"

[[listener]]
address = "127.0.0.1:0"

[[route]]
name = "chat"
backend = "nowhere"
orgins = ["any"]

[[backend]]
name = "pool"
servers = ["127.0.0.1:1"]
balance = "fastest"
`,
  );
  const { code, stderr } = await Fairlead.command(rig, ['check', '-c', file]);
  assert.equal(code, 1);
  assert.match(stderr, /fairlead\.toml:2:\d+: /);
  assert.match(stderr, /fairlead\.toml:9:\d+: .*nowhere/);
  assert.match(
    stderr,
    /fairlead\.toml:10:\d+: route "chat": unknown key "orgins" \(did you mean "origins"\?\)/,
  );
  assert.match(stderr, /orgins = \["any"\]/, 'the offending line');
  assert.match(stderr, /fairlead\.toml:15:\d+: /);
});

scenario('check, a start and a reload say the same of what a start would refuse', async (rig) => {
  const { cert, key } = rig.certificate();
  const text = `[server]
user = "nobody-of-that-name"
[log]
file = "none/fairlead.log"
[[listener]]
address = "127.0.0.1:0"
[[listener]]
address = "127.0.0.1:1"
[listener.tls]
certificates = [{ cert = "${key}", key = "${cert}" }]
[[route]]
hosts = ["chat.example.com"]
backend = "pool"
[[backend]]
name = "pool"
servers = ["127.0.0.1:2"]
`;
  const file = write(rig, text);
  const places = (said) => said.match(/fairlead\.toml:\d+:\d+: .*/g);
  const { code, stderr } = await Fairlead.command(rig, ['check', '-c', file]);
  assert.equal(code, 1);
  assert.match(stderr, /fairlead\.toml:2:8: server: user: user "nobody-of-that-name" does not exist/);
  assert.match(stderr, /fairlead\.toml:4:8: log: file: cannot open the log file .*none\/fairlead\.log: No such file or directory/);
  assert.match(stderr, /fairlead\.toml:10:26: .*: are cert and key swapped\?/);
  assert.match(stderr, /fairlead\.toml:10:\d+: .*but a certificate: are cert and key swapped\?/);
  const start = await Fairlead.command(rig, ['run', '-c', file]);
  assert.equal(start.code, 1);
  assert.deepEqual(places(start.stderr), places(stderr));
  // A running one takes certificates only as a start does; the rest needs a restart anyway.
  const fairlead = await rig.run({ servers: ['127.0.0.1:2'] });
  write(rig, text);
  fairlead.signal('SIGHUP');
  await fairlead.until(() => fairlead.stderr.includes('reload failed, nothing changed'), 'it is refused');
  assert.match(fairlead.stderr, /fairlead\.toml:10:26: .*: are cert and key swapped\?/);
});

scenario('check warns of an end that is near, and a start says so too', async (rig) => {
  const { toml } = rig.certificate();
  const text = config({ servers: ['127.0.0.1:1'], tls: toml });
  const { code, stderr } = await Fairlead.command(rig, ['check', '-c', write(rig, text)]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^warning: .*fairlead\.toml:\d+:\d+: .* expires on .*, in [12] days?$/m);
  const fairlead = await rig.run({ servers: ['127.0.0.1:1'], tls: toml });
  assert.match(fairlead.stderr, /warning: .*fairlead\.toml:\d+:\d+: .* expires on .*, in [12] days?/);
});

scenario('check says where a file is no TOML, and that a file is not there', async (rig) => {
  const broken = await Fairlead.command(rig, ['check', '-c', write(rig, '[server]\nworkers = \n')]);
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /fairlead\.toml:2/);
  const absent = await Fairlead.command(rig, [
    'check',
    '-c',
    path.join(rig.directory(), 'absent.toml'),
  ]);
  assert.equal(absent.code, 1);
  assert.match(absent.stderr, /absent\.toml/);
});

scenario('a variable of the environment is put in, an unset one is an error', async (rig) => {
  const file = write(rig, config({ servers: ['${E2E_SERVER}'] }));
  assert.equal(
    (await Fairlead.command(rig, ['check', '-c', file], { env: { E2E_SERVER: '127.0.0.1:1' } }))
      .code,
    0,
  );
  const { code, stderr } = await Fairlead.command(rig, ['check', '-c', file]);
  assert.equal(code, 1);
  assert.match(stderr, /E2E_SERVER/);
});

scenario('run with a bad file, or an address that is taken, exits with 1', async (rig) => {
  const bad = await Fairlead.command(rig, ['run', '-c', write(rig, '[nonsense]\n')]);
  assert.equal(bad.code, 1);
  assert.match(bad.stderr, /fairlead\.toml:1:\d+: .*nonsense/);

  const { backend } = await rig.pair();
  const taken = await Fairlead.command(rig, [
    'run',
    '-c',
    write(rig, config({ servers: ['127.0.0.1:1'], address: backend.address }), 'taken.toml'),
  ]);
  assert.equal(taken.code, 1);
  assert.match(taken.stderr, new RegExp(backend.address.replaceAll('.', '\\.')));
});

scenario('the reference names every key', async (rig) => {
  const { code, stdout } = await Fairlead.command(rig, ['reference']);
  assert.equal(code, 0);
  for (const key of [
    'workers',
    'max_connections',
    'drain',
    'deadline',
    'user',
    'tls_handshake',
    'request_head',
    'keepalive',
    'connect',
    'response_head',
    'write_stall',
    'min_body_rate',
    'min_send_rate',
    'tcp_keepalive',
    'tcp_user_timeout',
    'level',
    'format',
    'file',
    'access',
    'address',
    'proxy_protocol',
    'trusted_proxies',
    'redirect_to_https',
    'certificates',
    'min_version',
    'compact',
    'name',
    'hosts',
    'path',
    'subprotocols',
    'kind',
    'backend',
    'origins',
    'require_origin',
    'strip_prefix',
    'max_message',
    'max_message_from_backend',
    'max_frame',
    'ping_interval',
    'ping_timeout',
    'ping_backend',
    'idle_timeout',
    'max_lifetime',
    'strict',
    'handshakes_per_ip',
    'connections_per_ip',
    'messages',
    'bytes',
    'on_excess',
    'servers',
    'weight',
    'balance',
    'sticky',
    'cookie',
    'secret_file',
    'max_age',
    'same_site',
  ]) {
    assert.match(stdout, new RegExp(`\\b${key}\\b`), key);
  }
});

scenario('proxy needs no file, and prints the one it amounts to', async (rig) => {
  const server = await wsServer(rig);
  const args = [
    'proxy',
    '--to',
    server.address,
    '--listen',
    '127.0.0.1:0',
    '--origin',
    'https://app.example.com',
  ];
  const printed = await Fairlead.command(rig, [...args, '--print-config']);
  assert.equal(printed.code, 0, printed.stderr);
  const checked = await Fairlead.command(rig, ['check', '-c', write(rig, printed.stdout)]);
  assert.equal(checked.code, 0, checked.stderr);
  assert.match(printed.stdout, /https:\/\/app\.example\.com/);

  for (const fairlead of [
    await Fairlead.start(rig, args),
    await Fairlead.run(rig, printed.stdout),
  ]) {
    const client = await Client.open(rig, `ws://127.0.0.1:${fairlead.port}/`, [], {
      origin: 'https://app.example.com',
    });
    client.send('hello');
    assert.equal((await client.message(0)).data.toString(), 'hello');
    await assert.rejects(
      Client.open(rig, `ws://127.0.0.1:${fairlead.port}/`, [], { origin: 'https://evil.example' }),
      /403/,
    );
  }
});

scenario('proxy takes several servers, and a certificate', async (rig) => {
  const servers = [await wsServer(rig), await wsServer(rig)];
  const { cert, key } = rig.certificate();
  const fairlead = await Fairlead.start(rig, [
    'proxy',
    '--to',
    servers[0].address,
    '--to',
    servers[1].address,
    '--listen',
    '127.0.0.1:0',
    '--cert',
    cert,
    '--key',
    key,
  ]);
  for (let i = 0; i < 2; ++i) await Client.open(rig, `wss://127.0.0.1:${fairlead.port}/`);
  assert.deepEqual(
    servers.map((one) => one.clients.size),
    [1, 1],
  );
});

scenario('demo: the page, the echo and the chat', async (rig) => {
  const fairlead = await Fairlead.start(rig, ['demo', '--listen', '127.0.0.1:0']);
  const url = await fairlead.until(
    () => fairlead.stdout.match(/https:\/\/[\w.-]+:\d+\/?/)?.[0],
    'a URL to open',
  );
  assert.equal(Number(new URL(url).port), fairlead.port);
  const page = await within(
    new Promise((resolve, reject) => {
      https
        .get(url, { rejectUnauthorized: false, agent: false }, (answer) => {
          let body = '';
          answer
            .setEncoding('utf8')
            .on('data', (text) => {
              body += text;
            })
            .on('end', () =>
              resolve({ status: answer.statusCode, type: answer.headers['content-type'], body }),
            );
        })
        .on('error', reject);
    }),
    'the page',
  );
  assert.equal(page.status, 200);
  assert.match(page.type, /^text\/html/);
  assert.match(page.body, /<html|<!doctype html/i);

  const base = `wss://127.0.0.1:${fairlead.port}`;
  const echo = await Client.open(rig, `${base}/echo`);
  echo.send('hello');
  assert.equal((await echo.message(0)).data.toString(), 'hello');
  const [one, two] = [
    await Client.open(rig, `${base}/chat`),
    await Client.open(rig, `${base}/chat`),
  ];
  one.send('from one to all');
  await two.until(
    () => two.messages.some((message) => message.data.includes('from one to all')),
    'the other hears it',
  );
  await assert.rejects(
    Client.open(rig, `${base}/chat`, [], { origin: 'https://evil.example' }),
    /403/,
  );
});
