// The soak: node run.js [--minutes N] [--only mix|scale-out|pace]. FAIRLEAD names the binary. See packaging/soak.

import { mix } from './mix.js';
import { pace } from './pace.js';
import { scaleOut } from './scale_out.js';

const options = { minutes: 10 };
const parts = { 'scale-out': scaleOut, pace, mix };
const args = process.argv.slice(2);
while (args.length > 0) {
  const name = args.shift();
  if (name === '--minutes') options.minutes = Number(args.shift());
  else if (name === '--only') options.only = args.shift();
  else options.wrong = true;
}
if (options.wrong || !(options.minutes > 0) || (options.only && !parts[options.only])) {
  console.error('usage: run.js [--minutes N] [--only mix|scale-out|pace]');
  process.exit(2);
}

// Whatever hangs, it ends.
setTimeout(
  () => {
    console.error('the soak did not end in time');
    process.exit(1);
  },
  (options.minutes + 6) * 60_000,
).unref();

let good = true;
for (const [name, part] of Object.entries(parts)) {
  if (options.only && options.only !== name) continue;
  console.log(`--- ${name}`);
  good = (await part(options)) && good;
}
process.exit(good ? 0 : 1);
