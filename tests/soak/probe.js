// node probe.js PORT DIRECT: sessions that send a small message each 20 ms and time its echo, some through Fairlead and
// as many straight to the server: what the machine and Node add is in both. Told "begin" and "end" it answers with
// { count, p50, p99, worst, direct p50, direct p99, direct worst } in milliseconds.

import { connect, sleep } from './lib.js';

const kSessions = 10;
const kEvery = 20; // ms
const times = [[], []];

for (let i = 0; i < 2 * kSessions; ++i) {
  const mine = times[i % 2];
  const { end } = await connect(Number(process.argv[2 + (i % 2)]), '/echo', {
    message: (payload) => mine.push(performance.now() - Number(payload.toString())),
    close: () => {},
    ended: () => process.exit(1),
  });
  setInterval(
    () => end.frame({ op: 2, payload: Buffer.from(String(performance.now())) }),
    kEvery,
  );
  await sleep(kEvery / kSessions / 2);
}

function summary(list) {
  list.sort((a, b) => a - b);
  const at = (part) =>
    Number((list[Math.min(list.length - 1, Math.floor(list.length * part))] ?? 0).toFixed(2));
  return { p50: at(0.5), p99: at(0.99), worst: at(1) };
}

process.on('message', (what) => {
  if (what === 'begin') return void times.forEach((list) => list.splice(0));
  const count = times[0].length;
  const [through, direct] = times.map(summary);
  return void process.send({
    count,
    ...through,
    'direct p50': direct.p50,
    'direct p99': direct.p99,
    'direct worst': direct.worst,
  });
});
process.on('disconnect', () => process.exit(0));
process.send({ ready: true });
