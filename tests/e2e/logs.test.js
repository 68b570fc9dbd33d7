// Where the logs go: files that are rotated, readers that hang, descriptors that are not there.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Admin } from './lib/admin.js';
import { eventually, within } from './lib/deadline.js';
import { kBinary } from './lib/fairlead.js';
import { Peer } from './lib/peer.js';
import { get } from './lib/requests.js';
import { config, scenario } from './lib/rig.js';

const read = (file) => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '');

// A FIFO that a log is written to; `fill` leaves no room in it: its reader hangs from then on.
function fifo(rig, name) {
  const file = path.join(rig.directory(), name);
  execFileSync('mkfifo', [file]);
  const fd = fs.openSync(file, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
  rig.defer(() => fs.closeSync(fd));
  const until = (call) => {
    try {
      for (;;) call();
    } catch (error) {
      assert.equal(error.code, 'EAGAIN');
    }
  };
  const fill = () => until(() => fs.writeSync(fd, '.'.repeat(4096)));
  const take = () => {
    let text = '';
    const part = Buffer.alloc(65536);
    until(() => (text += part.toString('utf8', 0, fs.readSync(fd, part))));
    return text;
  };
  return { file, fill, take };
}

scenario('USR1 where a file cannot be opened anew: an error, and all goes on', async (rig) => {
  const folder = path.join(rig.directory(), 'logs');
  const moved = path.join(rig.directory(), 'moved');
  const access = path.join(folder, 'access.log');
  fs.mkdirSync(folder);
  const { backend, fairlead } = await rig.pair({ more: `[log]\naccess = "${access}"` });
  const { client, server } = await rig.session(fairlead, backend);
  fs.renameSync(folder, moved);
  fs.writeFileSync(folder, 'a file: for root, too, nothing can be opened in it');
  fairlead.signal('SIGUSR1');
  await fairlead.until(
    () => fairlead.stderr.includes(`error: cannot open the log file ${access}: Not a directory`),
    'the error',
  );
  client.sendText('as before');
  await server.expectText('as before');
  assert.equal((await (await rig.connect(fairlead)).request(get('/x', ['Content-Length: x']))).status, 400);
  await eventually(() => read(path.join(moved, 'access.log')).includes('malformed_request'), 'a line in the old file');
  fs.rmSync(folder);
  fs.mkdirSync(folder);
  fairlead.signal('SIGUSR1');
  await eventually(() => fs.existsSync(access), 'a new file');
  assert.equal((await (await rig.connect(fairlead)).request(get('/y', ['Transfer-Encoding: x']))).status, 501);
  await eventually(() => read(access).includes('unsupported_transfer_coding'), 'a line in the new file');
  assert.ok(!read(path.join(moved, 'access.log')).includes('unsupported_transfer_coding'));
});

scenario('log files made by root belong to `user`; a folder is not made', async (rig) => {
  if (process.getuid() !== 0) return;
  fs.chmodSync(rig.directory(), 0o755);
  const nobody = Number(execFileSync('id', ['-u', 'nobody'], { encoding: 'utf8' }));
  const access = path.join(rig.directory(), 'access.log');
  await rig.pair({ server: 'user = "nobody"', more: `[log]\naccess = "${access}"` });
  assert.equal(fs.statSync(access).uid, nobody);
  const missing = path.join(rig.directory(), 'none', 'access.log');
  const file = path.join(rig.directory(), 'other.toml');
  fs.writeFileSync(file, config({ servers: ['127.0.0.1:1'], more: `[log]\naccess = "${missing}"` }));
  const { status, stderr } = await new Promise((resolve) => {
    let text = '';
    const child = spawn(kBinary, ['run', '-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
    rig.defer(() => child.kill('SIGKILL'));
    child.stderr.setEncoding('utf8').on('data', (part) => (text += part));
    child.on('close', (code) => resolve({ status: code, stderr: text }));
  });
  assert.equal(status, 1);
  assert.match(stderr, /cannot open the log file .*none\/access\.log: No such file or directory/);
  assert.ok(!fs.existsSync(path.dirname(missing)));
});

for (const [times, exit] of [
  [1, 0],
  [2, 3],
]) {
  scenario(`who does not read stdout and stderr does not hold the end up: TERM ${times}x, ${exit}`, async (rig) => {
    const backend = await rig.backend();
    const file = path.join(rig.directory(), 'fairlead.toml');
    const [out, err] = [fifo(rig, 'out'), fifo(rig, 'err')];
    const deadline = exit === 0 ? '1s' : '60s';
    fs.writeFileSync(file, config({ server: `drain = { deadline = "${deadline}" }`, servers: [backend.address] }));
    const ends = [out, err].map((one) => fs.openSync(one.file, 'w'));
    const child = spawn(kBinary, ['run', '-c', file], { stdio: ['ignore', ...ends] });
    const ended = new Promise((resolve) => {
      child.on('exit', (code, signal) => resolve([code, signal]));
    });
    rig.defer(() => child.kill('SIGKILL'));
    for (const end of ends) fs.closeSync(end);
    let said = '';
    await eventually(() => (said += err.take()).includes('ready:'), 'it serves');
    const fairlead = { connect: (options) => Peer.connect(Number(said.match(/listening on \S+:(\d+)/)[1]), options) };
    out.fill();
    err.fill();
    const { client } = await rig.session(fairlead, backend);
    child.kill('SIGTERM');
    await client.expectClose(1001); // and no answer
    if (times === 2) child.kill('SIGTERM');
    assert.deepEqual(await within(ended, 'the end'), [exit, null]);
  });
}

scenario('lines that a hanging reader costs are counted and told, and the other log goes on', async (rig) => {
  const access = fifo(rig, 'access');
  const { backend, fairlead } = await rig.pair({ more: `[log]\naccess = "${access.file}"` });
  access.fill();
  const { client, server } = await rig.session(fairlead, backend);
  client.sendClose(1000);
  await server.expectClose(1000);
  server.sendClose(1000);
  await client.expectClose(1000);
  fairlead.signal('SIGHUP');
  await fairlead.until(() => fairlead.stderr.includes('configuration reloaded'), 'the main log goes on');
  await fairlead.stop();
  assert.match(fairlead.stderr, /warning: 2 lines of the access log were lost: nobody reads them as fast as they come\n/);
});

scenario('nor does the old process of an upgrade wait for who does not read', async (rig) => {
  const access = fifo(rig, 'access');
  const { backend, fairlead } = await rig.pair({ more: `[log]\naccess = "${access.file}"` });
  const { client, server } = await rig.session(fairlead, backend);
  access.fill();
  await fairlead.until(() => fairlead.stderr.includes('ready:'), 'the end of the start: before it USR2 is refused');
  fairlead.signal('SIGUSR2');
  const [, pid] = await fairlead.until(() => fairlead.stderr.match(/upgrade: process (\d+) starts/), 'the next one');
  rig.defer(() => process.kill(Number(pid), 'SIGTERM'));
  await client.expectClose(1012);
  client.sendClose(1012);
  await server.expectClose(1001);
  server.sendClose(1001);
  await eventually(() => fairlead.child.exitCode !== null, 'the old process ends');
  assert.equal(fairlead.child.exitCode, 0);
});

scenario('standard streams that are closed are /dev/null', async (rig) => {
  const backend = await rig.backend();
  const err = fifo(rig, 'err');
  const file = path.join(rig.directory(), 'fairlead.toml');
  fs.writeFileSync(file, config({ servers: [backend.address], more: `[log]\nfile = "${err.file}"` }));
  const child = spawn('/bin/sh', ['-c', `exec "${kBinary}" run -c "${file}" <&- >&- 2>&-`], { stdio: 'ignore' });
  const ended = new Promise((resolve) => {
    child.on('exit', resolve);
  });
  rig.defer(() => child.kill('SIGKILL'));
  let said = '';
  await eventually(() => (said += err.take()).includes('ready:'), 'it serves');
  for (const fd of [0, 1, 2]) assert.equal(fs.readlinkSync(`/proc/${child.pid}/fd/${fd}`), '/dev/null');
  child.kill('SIGTERM');
  assert.equal(await within(ended, 'the end'), 0);
});

scenario('an upgrade that fails does not wait for who does not read stderr', async (rig) => {
  const backend = await rig.backend();
  const socket = path.join(rig.directory(), 'admin.sock');
  const file = path.join(rig.directory(), 'fairlead.toml');
  const settings = { servers: [backend.address], more: `[admin]\nlisten = "unix:${socket}"` };
  fs.writeFileSync(file, config(settings));
  const err = fifo(rig, 'err');
  const end = fs.openSync(err.file, 'w');
  const child = spawn(kBinary, ['run', '-c', file], { stdio: ['ignore', 'ignore', end] });
  rig.defer(() => child.kill('SIGKILL'));
  fs.closeSync(end);
  let said = '';
  await eventually(() => (said += err.take()).includes('ready:'), 'it serves');
  err.fill();
  fs.writeFileSync(file, 'nonsense');
  child.kill('SIGUSR2');
  const admin = Object.assign(new Admin(), { socket });
  const state = async () => (await admin.ask('GET', '/api/status')).json.upgrade;
  await eventually(async () => (await state())?.state === 'failed', 'its failure');
  assert.match((await state()).error, /fairlead\.toml:1/);
});

scenario('a log file at the limit of file sizes costs lines, not the process', async (rig) => {
  const backend = await rig.backend();
  const file = path.join(rig.directory(), 'fairlead.toml');
  const access = path.join(rig.directory(), 'access.log');
  fs.writeFileSync(file, config({ servers: [backend.address], more: `[log]\naccess = "${access}"` }));
  const child = spawn('/bin/sh', ['-c', `ulimit -f 1; exec "${kBinary}" run -c "${file}"`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise((resolve) => {
    child.on('close', (code, signal) => resolve([code, signal]));
  });
  rig.defer(() => child.kill('SIGKILL'));
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (part) => (said += part));
  await eventually(() => said.includes('ready:'), 'it serves');
  const fairlead = { connect: (options) => Peer.connect(Number(said.match(/listening on \S+:(\d+)/)[1]), options) };
  for (let i = 0; i < 10; ++i)
    assert.equal((await (await rig.connect(fairlead)).request(get(`/${i}`, ['Content-Length: x']))).status, 400);
  await eventually(() => fs.statSync(access).size >= 512, 'no more goes in');
  child.kill('SIGTERM');
  assert.deepEqual(await within(ended, 'the end'), [0, null]);
  assert.match(said, /lines of the access log were lost: File too large/);
});
