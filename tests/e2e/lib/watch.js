// Fairlead with an admin endpoint on a unix socket, and its metrics as numbers.

import http from 'node:http';
import path from 'node:path';
import { within } from './deadline.js';
import { Fairlead } from './fairlead.js';

export async function watched(rig, settings = {}) {
  const socketPath = path.join(rig.directory(), 'admin.sock');
  const more = `[admin]\nlisten = "unix:${socketPath}"\n${settings.more ?? ''}`;
  const fairlead = await rig.run({ ...settings, more });
  await fairlead.until(() => fairlead.stderr.includes('admin endpoint on'), 'the admin endpoint');
  return new Watch(rig, fairlead, socketPath);
}

export class Watch {
  constructor(rig, fairlead, socketPath) {
    Object.assign(this, { rig, fairlead, socketPath });
  }

  // { status, text, json }
  ask(method, target) {
    const answered = new Promise((resolve, reject) => {
      const options = { socketPath: this.socketPath, method, path: target, agent: false };
      const request = http.request(options, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece) => (text += piece));
        response.on('end', () => {
          const json = response.headers['content-type'] === 'application/json';
          resolve({ status: response.statusCode, text, json: json && text ? JSON.parse(text) : undefined });
        });
      });
      request.on('error', reject);
      request.end();
    });
    return within(answered, `${method} ${target}`);
  }

  async sessions(query = '') {
    return (await this.ask('GET', `/api/sessions${query}`)).json;
  }

  // The samples as they stand: a function from 'name{labels}' (without "fairlead_") to its number.
  async metrics() {
    const { text } = await this.ask('GET', '/metrics');
    const samples = new Map();
    for (const line of text.split('\n')) {
      const end = line.lastIndexOf(' ');
      if (line.startsWith('fairlead_')) samples.set(line.slice(9, end), Number(line.slice(end + 1)));
    }
    return Object.assign((name) => samples.get(name), { text });
  }

  command(...args) {
    const env = { FAIRLEAD_ADMIN: `unix:${this.socketPath}` };
    return Fairlead.command(this.rig, args, { env });
  }
}
