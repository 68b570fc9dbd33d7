// Fairlead with an admin endpoint on a unix socket, which needs no token.

import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { within } from './deadline.js';
import { Fairlead, config } from './fairlead.js';

export class Admin {
  // settings: as config() has them.
  static async start(rig, settings = {}, options = {}) {
    const admin = new Admin();
    admin.rig = rig;
    admin.socket = path.join(rig.directory(), 'admin.sock');
    admin.fairlead = await rig.run(admin.#settings(settings), options);
    await admin.fairlead.until(
      () => admin.fairlead.stderr.includes('admin endpoint on'),
      'the admin endpoint',
    );
    return admin;
  }

  #settings(settings) {
    return { ...settings, more: `[admin]\nlisten = "unix:${this.socket}"\n${settings.more ?? ''}` };
  }

  // Another configuration into the file that a reload reads.
  write(settings) {
    fs.writeFileSync(
      path.join(this.rig.directory(), 'fairlead.toml'),
      config(this.#settings(settings)),
    );
  }

  async reload(settings) {
    this.write(settings);
    return this.ask('POST', '/api/reload');
  }

  // { status, json }. `body` is what becomes JSON.
  ask(method, target, body) {
    const answered = new Promise((resolve, reject) => {
      const request = http.request(
        { socketPath: this.socket, method, path: target, agent: false },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (piece) => (text += piece));
          response.on('end', () =>
            resolve({ status: response.statusCode, json: JSON.parse(text) }),
          );
        },
      );
      request.on('error', reject);
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
    return within(answered, `${method} ${target}`);
  }

  setServer(server, change) {
    return this.ask('POST', `/api/backends/pool/servers/${server}`, change);
  }

  async drains() {
    return (await this.ask('GET', '/api/drains')).json.drains;
  }

  async servers() {
    return (await this.ask('GET', '/api/backends')).json.backends[0].servers;
  }

  // The command's end: { code, stdout, stderr }.
  command(...args) {
    return Fairlead.command(this.rig, args, { env: { FAIRLEAD_ADMIN: `unix:${this.socket}` } });
  }
}
