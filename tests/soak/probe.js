// node probe.js PORT: sessions that send a small message each 20 ms and time its echo. Told "begin" and "end" it
// answers with { count, p50, p99, p999, worst } in milliseconds.

import { connect, sleep } from './lib.js';

const kSessions = 10;
const kEvery = 20; // ms
const times = [];

for (let i = 0; i < kSessions; ++i) {
  const { end } = await connect(Number(process.argv[2]), '/echo', {
    message: (payload) => times.push(performance.now() - Number(payload.toString())),
    close: () => {},
    ended: () => process.exit(1),
  });
  setInterval(
    () => end.frame({ op: 2, payload: Buffer.from(String(performance.now())) }),
    kEvery,
  );
  await sleep(kEvery / kSessions);
}

process.on('message', (what) => {
  if (what === 'begin') return void times.splice(0);
  times.sort((a, b) => a - b);
  const at = (part) => Number(times[Math.min(times.length - 1, Math.floor(times.length * part))].toFixed(2));
  process.send({ count: times.length, p50: at(0.5), p99: at(0.99), p999: at(0.999), worst: at(1) });
});
process.on('disconnect', () => process.exit(0));
process.send({ ready: true });
