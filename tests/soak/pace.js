// 2,000 sessions of one server are drained at a rate while others, of another server, speak all the time: how long
// their frames take before, and meanwhile. They are measured from a process of their own (probe.js).

import { Fairlead, Server, connect, message, program, sleep } from './lib.js';

const kSessions = 2000;
const kRates = ['200/s', '1000/s', 'off'];

const toml = (busy, quiet) => `
[server]
workers = 2
drain = { deadline = "5s" }
[[listener]]
address = "127.0.0.1:0"
[[route]]
name = "idle"
backend = "pool"
[[route]]
name = "echo"
path = "/echo"
backend = "echo"
[[backend]]
name = "pool"
servers = ["${busy.address}"]
[[backend]]
name = "echo"
servers = ["${quiet.address}"]
`;

export async function pace() {
  const servers = [await Server.start(), await Server.start()];
  const fairlead = await Fairlead.start(toml(...servers));
  const probe = program('probe.js', [fairlead.port]);
  await message(probe, (got) => got.ready);
  const window = async (action) => {
    probe.send('begin');
    await action();
    const result = message(probe, (got) => got.count);
    probe.send('end');
    return result;
  };
  const rows = {};
  let good = true;
  for (const rate of kRates) {
    const open = await fill(fairlead.port);
    await sleep(1000);
    rows[`${rate}: before`] = await window(() => sleep(4000));
    let seconds;
    rows[`${rate}: drain`] = await window(async () => {
      const begun = Date.now();
      const path = `/api/backends/pool/servers/${servers[0].address}`;
      await fairlead.ask('POST', path, { state: 'drain', rate });
      while (open.size > 0 && Date.now() - begun < 60_000) await sleep(20);
      seconds = (Date.now() - begun) / 1000;
      await fairlead.ask('POST', path, { state: 'ready' });
    });
    rows[`${rate}: drain`].seconds = seconds;
    good = good && open.size === 0;
  }
  console.table(rows);
  probe.kill('SIGKILL');
  good = (await fairlead.stop()) === 0 && fairlead.complaints().length === 0 && good;
  for (const server of servers) server.signal('SIGKILL');
  for (const rate of kRates) {
    const added = rows[`${rate}: drain`].p99 - rows[`${rate}: before`].p99;
    console.log(`a drain of ${kSessions} at ${rate} adds ${added.toFixed(2)} ms to the p99 of others' round trips`);
  }
  return good;
}

// So many idle sessions, which go when they are told.
async function fill(port) {
  const open = new Set();
  while (open.size < kSessions) {
    const many = Array.from({ length: 50 }, async () => {
      let end;
      const got = await connect(port, '/', {
        message: () => {},
        close: (code, payload) => end.answerClose(payload),
        ended: () => open.delete(end),
      });
      if (got.status !== 101) throw new Error(`a handshake got ${got.status}`);
      end = got.end;
      open.add(end);
    });
    await Promise.all(many);
  }
  return open;
}
