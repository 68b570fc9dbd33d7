// Debian's python3-websockets at both ends.

import assert from 'node:assert/strict';
import { havePython, pythonClient, pythonServer } from '../e2e/lib/python.js';
import { scenario } from '../e2e/lib/rig.js';
import { front } from './lib/front.js';

const options = {
  skip: !havePython && !process.env.CI && 'apt-get install python3-websockets',
};

scenario('python-websockets talks to itself through two servers', options, async (rig) => {
  const servers = [await pythonServer(rig), await pythonServer(rig)];
  const app = await front(rig, servers);
  for (let i = 0; i < 2; ++i)
    assert.deepEqual(await pythonClient(rig, app.ws()), {
      subprotocol: 'echo.v1',
      extensions: ['permessage-deflate'],
      same: true,
      ponged: true,
      close: [4001, 'enough'],
    });
  await app.allUsed();
});
