// Two servers with 2,000 sessions become four: a reload adds two, and rebalancing moves sessions, which connect again,
// until all have their share within the skew. Nobody is moved who need not be, and no server swings.

import { Fairlead, Server, between, connect, sleep } from './lib.js';

const kSessions = 2000;
const kSkew = 20; // percent
const kRate = 40; // sessions per second
const kSeconds = 120;

const toml = (servers) => `
[server]
workers = 2
drain = { deadline = "5s" }
[[listener]]
address = "127.0.0.1:0"
[[route]]
name = "chat"
backend = "pool"
[[backend]]
name = "pool"
servers = [${servers.map((one) => `"${one.address}"`).join(', ')}]
sticky = { cookie = "fairlead" }
rebalance = { skew = "${kSkew}%", rate = "${kRate}/s", min_age = "2s" }
`;

export async function scaleOut() {
  const servers = [await Server.start(), await Server.start()];
  const fairlead = await Fairlead.start(toml(servers));
  let moves = 0;
  let lost = 0;
  let stopping = false;
  const ends = new Set();

  // Comes back within two seconds when it is told to move.
  const client = async () => {
    let again = true;
    while (again && !stopping) {
      again = false;
      await new Promise((resolve) => {
        let end;
        connect(fairlead.port, '/', {
          message: () => {},
          close: (code, payload) => {
            again = code === 1012;
            end.answerClose(payload);
          },
          ended: () => {
            ends.delete(end);
            resolve();
          },
        }).then((got) => {
          if (got.status !== 101) lost += 1;
          else ends.add((end = got.end));
        });
      });
      if (again) moves += 1;
      else if (!stopping) lost += 1;
      await sleep(between(0, 2000));
    }
  };
  const clients = [];
  while (clients.length < kSessions) {
    for (let i = 0; i < 50; ++i) clients.push(client());
    await sleep(100);
  }
  while (ends.size < kSessions) await sleep(100);
  servers.push(await Server.start(), await Server.start());
  fairlead.write(toml(servers));
  const begun = await fairlead.ask('POST', '/api/reload');
  console.log('second  sessions of each server     on their way  moved so far');
  const rows = [];
  for (let second = 0, quiet = 0; second < kSeconds && quiet < 8; ++second) {
    const row = (await fairlead.backends()).map((one) => one.sessions);
    quiet = moves === rows.at(-1)?.moves ? quiet + 1 : 0;
    rows.push({ row, moves });
    const away = kSessions - row.reduce((sum, one) => sum + one, 0);
    console.log(`${String(second).padStart(6)}  ${row.map((one) => String(one).padStart(5)).join('')}${String(away).padStart(20)}${String(moves).padStart(14)}`);
    await sleep(1000);
  }
  stopping = true;
  for (const end of ends) end.destroy();
  await Promise.all(clients);
  const code = await fairlead.stop();
  for (const server of servers) server.signal('SIGKILL');

  const share = kSessions / servers.length;
  const last = rows.at(-1).row;
  const problems = fairlead.complaints();
  if (begun.status !== 200) problems.push('the reload failed');
  if (code !== 0) problems.push(`Fairlead ended with ${code}`);
  if (lost !== 0) problems.push(`${lost} sessions ended otherwise or were refused`);
  if (Math.max(...last) > share * (1 + kSkew / 100)) problems.push('the skew is too large in the end');
  // Down to half the skew above the share, 5 seconds' worth of the rate at most beyond it.
  const needed = 2 * (kSessions / 2 - share * (1 + kSkew / 200));
  if (moves > needed + 5 * kRate) problems.push(`${moves} moves, ${needed} were needed`);
  // No swing: who had too many only loses, who came only gains, but for what arrives in the same second.
  const slack = Math.ceil(share * 0.02);
  rows.forEach(({ row }, i) => {
    if (i === 0) return;
    row.forEach((now, server) => {
      const change = now - rows[i - 1].row[server];
      if (server < 2 ? change > slack : change < -slack)
        problems.push(`second ${i}: server ${server} went from ${now - change} to ${now}`);
    });
  });
  console.log(`shares ${last.join(' ')} after ${rows.length - 8} s, ${moves} moves, ${needed} needed`);
  for (const problem of problems) console.log(`PROBLEM: ${problem}`);
  return problems.length === 0;
}
