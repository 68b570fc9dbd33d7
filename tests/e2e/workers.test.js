// Long-lived sessions spread evenly over the workers (the rig's configuration has two).

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { scenario } from './lib/rig.js';

// How many descriptors each event loop of the process watches, the busiest first: /proc names them.
const watched = (pid) =>
  fs
    .readdirSync(`/proc/${pid}/fd`)
    .filter((fd) => {
      try {
        return fs.readlinkSync(`/proc/${pid}/fd/${fd}`).includes('eventpoll');
      } catch {
        return false; // closed meanwhile
      }
    })
    .map((fd) => fs.readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8').match(/^tfd:/gm)?.length ?? 0)
    .sort((a, b) => b - a);

scenario('300 idle sessions are spread evenly over two workers', async (rig) => {
  const { backend, fairlead } = await rig.pair();
  for (let i = 0; i < 300; i += 1) await rig.session(fairlead, backend);
  const [most, least] = watched(fairlead.child.pid);
  assert.ok(least >= 280, `two descriptors a session: ${most} and ${least}`);
  assert.ok(most - least <= 30, `at most 5 % off: ${most} and ${least}`);
});
