// Reloads, servers killed and stopped, drains and undos, all among the traffic of hundreds of sessions. Every message
// has its number in its direction; each end checks that what comes is what is due, so nothing can be doubled, out of
// order or altered. When a session ends, what one end said and the other did not get is its tail: there may be
// one only where the session was told to move, its server was harmed, or its client left without a word.

import { Fairlead, Server, between, chance, connect, content, pick, sleep, until } from './lib.js';

const kSessions = 250;
const kServers = 3;

const kReasons = {
  closed: ['client_closed'],
  moved: ['moved'],
  lost: ['backend_gone', 'backend_dead', 'slow_backend'],
  left: ['client_gone'],
};

export async function mix({ minutes }) {
  const run = new Run(minutes);
  return run.all();
}

class Run {
  accounts = new Map(); // session -> Account
  problems = [];
  done = {}; // what was done to it: how often
  refused = {}; // handshakes: by status
  memory = []; // KiB, each five seconds
  stopping = false;
  last = 0;

  constructor(minutes) {
    this.until = Date.now() + minutes * 60_000;
    this.minutes = minutes;
  }

  problem(text) {
    this.problems.push(text);
    if (this.problems.length < 20) console.log(`PROBLEM: ${text}`);
  }

  toml(flags = {}) {
    const servers = this.servers.map((one) => `"${one.address}"`).join(', ');
    return `
[server]
workers = 2
drain = { deadline = "10s", rate = "50/s" }
[timeouts]
connect = "2s"
[[listener]]
address = "127.0.0.1:0"
[[route]]
name = "chat"
backend = "pool"
[route.websocket]
ping_interval = "${flags.slow ? '4s' : '3s'}"
ping_timeout = "5s"
${flags.more ? '[[route]]\nname = "more"\npath = "/more"\nbackend = "pool"' : ''}
[[backend]]
name = "pool"
servers = [${servers}]
${flags.robin ? 'balance = "round-robin"' : ''}
health = { type = "websocket", path = "/check", interval = "1s", timeout = "2s", rise = 1, fall = 2 }
`;
  }

  async all() {
    const onReport = (got) => {
      if (got.problem) this.problem(got.problem);
      if (got.session) this.reported(got);
    };
    this.servers = [];
    for (let i = 0; i < kServers; ++i) this.servers.push(await Server.start({ onReport }));
    this.fairlead = await Fairlead.start(this.toml());
    await this.rest();
    const files = this.fairlead.files();
    console.log(`${this.fairlead.memory()} KiB and ${files} files without sessions`);
    const clients = Array.from({ length: kSessions }, () => this.client());
    const shown = setInterval(() => this.show(), 5_000);
    await this.disturb();
    clearInterval(shown);
    this.stopping = true;
    await Promise.all(clients);
    await this.rest();
    // But for what the checks of the moment have open.
    await until(() => this.fairlead.files() <= files + kServers, 'files closed', 20_000).catch(() =>
      this.problem(`${this.fairlead.files()} files are open instead of ${files}`),
    );
    console.log(`${this.fairlead.memory()} KiB and ${this.fairlead.files()} files without sessions`);
    this.flat();
    if ((await this.fairlead.stop()) !== 0) this.problem('Fairlead did not end with 0');
    for (const line of this.fairlead.complaints()) this.problem(`Fairlead said: ${line}`);
    this.settle();
    return this.problems.length === 0;
  }

  rest() {
    return until(
      async () => (await this.fairlead.backends()).every((one) => one.up && one.sessions === 0),
      'no session is open, all servers are up',
    );
  }

  // The second quarter of the time against the last. AddressSanitizer keeps what was freed and remembers who did it.
  flat() {
    const mean = (list) => Math.round(list.reduce((sum, one) => sum + one, 0) / list.length);
    const quarter = Math.max(1, Math.floor(this.memory.length / 4));
    const [early, late] = [mean(this.memory.slice(quarter, 2 * quarter)), mean(this.memory.slice(-quarter))];
    console.log(`memory under load: ${early} KiB in the second quarter, ${late} in the last`);
    if (late > early * 1.1 + 4096 && !this.fairlead.isSanitized()) this.problem('memory has grown');
  }

  show() {
    this.memory.push(this.fairlead.memory());
    if (this.memory.length % 2 === 1) return;
    const done = Object.entries(this.done).map(([name, n]) => `${n} ${name}`);
    const at = new Date().toISOString().slice(11, 19);
    console.log(`${at} ${this.last} sessions so far, ${this.memory.at(-1)} KiB; ${done.join(', ')}`);
  }

  // --- what is done to it ---

  did(what) {
    this.done[what] = (this.done[what] ?? 0) + 1;
  }

  async disturb() {
    const acts = [
      () => this.reload(),
      () => this.reload(),
      () => this.kill(),
      () => this.halt(),
      () => this.drain(),
      () => this.drain(),
    ];
    const running = new Set();
    for (let i = 0; Date.now() < this.until; ++i) {
      const act = (i < acts.length ? acts[i] : pick(acts))();
      const tracked = act.catch((error) => this.problem(error.stack)).finally(() => running.delete(tracked));
      running.add(tracked);
      await sleep(between(500, 3000));
    }
    await Promise.all(running);
  }

  async reload() {
    this.did('reloads');
    this.fairlead.write(this.toml({ slow: chance(0.5), more: chance(0.5), robin: chance(0.5) }));
    if (chance(0.3)) return this.fairlead.child.kill('SIGHUP');
    const { status, json } = await this.fairlead.ask('POST', '/api/reload');
    if (status !== 200 && status !== 409) this.problem(`reload: ${status} ${JSON.stringify(json)}`);
    return undefined;
  }

  // One that is not harmed already, and never the last.
  victim() {
    const well = this.servers.filter((one) => !one.harming);
    if (well.length < 2) return null;
    const server = pick(well);
    server.harming = true;
    server.harmed.push([Date.now() - 100]);
    return server;
  }

  async healed(server) {
    await until(
      async () => (await this.fairlead.backends()).find((one) => one.address === server.address)?.up,
      `${server.address} is up`,
    );
    await sleep(8_000); // its old sessions are found dead meanwhile
    server.harmed.at(-1)[1] = Date.now();
    server.harming = false;
  }

  async kill() {
    const server = this.victim();
    if (!server) return;
    this.did('kills');
    server.signal('SIGKILL');
    await until(() => server.child.signalCode, 'the server is dead');
    await sleep(between(200, 3000));
    await server.start();
    await this.healed(server);
  }

  async halt() {
    const server = this.victim();
    if (!server) return;
    this.did('stops');
    server.signal('SIGSTOP');
    await sleep(between(1000, 12_000));
    server.signal('SIGCONT');
    await this.healed(server);
  }

  async drain() {
    const address = `127.0.0.1:${this.fairlead.port}`;
    const [what, path] = pick([
      ['server drains', `/api/backends/pool/servers/${pick(this.servers).address}`],
      ['server drains', `/api/backends/pool/servers/${pick(this.servers).address}`],
      ['listener drains', `/api/listeners/${address}`],
      ['route drains', '/api/routes/chat'],
    ]);
    this.did(what);
    const rate = pick(['5/s', '20/s', '100/s', 'off']);
    const asked = await this.fairlead.ask('POST', path, { state: 'drain', rate });
    if (asked.status !== 200) this.problem(`${path}: ${asked.status} ${JSON.stringify(asked.json)}`);
    await sleep(between(100, 4000));
    if (chance(0.3)) await this.fairlead.ask('POST', path, { state: 'drain', rate: '10/s' });
    const undone = await this.fairlead.ask('POST', path, { state: 'ready' });
    if (undone.status !== 200) this.problem(`${path}: ${undone.status}`);
  }

  // --- clients and their accounts ---

  async client() {
    while (!this.stopping) {
      const account = new Account(this, ++this.last);
      const ended = account.open();
      const status = await account.opened;
      if (status !== 101) {
        this.refused[status] = (this.refused[status] ?? 0) + 1;
        // 0: the connection was cut off, which nobody does to a handshake.
        if (![502, 503, 504].includes(status)) this.problem(`a handshake got ${status}`);
        await sleep(between(100, 1500));
        continue;
      }
      this.accounts.set(account.session, account);
      await ended;
      if (account.how === 'moved') await sleep(between(0, 1000));
    }
  }

  reported({ session, received, sent }) {
    const account = this.accounts.get(session);
    if (account) account.report = { received, sent };
  }

  // --- the account of all ---

  settle() {
    const lines = new Map();
    for (const entry of this.fairlead.log()) {
      const session = Number(entry.path?.match(/^\/s\/(\d+)$/)?.[1]);
      if (!session || entry.status !== 101) continue;
      if (entry.event === 'close') lines.set(session, [...(lines.get(session) ?? []), entry.reason]);
    }
    const table = {};
    for (const account of this.accounts.values()) {
      const harmed = account.server.wasHarmed(account.from, account.to);
      const name = account.how === 'moved' && harmed ? 'moved, its server harmed' : account.how;
      const row = (table[name] ??= { sessions: 0, up: 0, down: 0, 'lost up': 0, 'lost down': 0, 'by the word': 0 });
      this.check(account, row, harmed, lines.get(account.session) ?? []);
      lines.delete(account.session);
    }
    for (const session of lines.keys()) this.problem(`session ${session} is in the log only`);
    console.table(table);
    console.log('refused handshakes by status:', JSON.stringify(this.refused), 'done:', JSON.stringify(this.done));
    console.log(this.problems.length === 0 ? 'every message is accounted for' : `${this.problems.length} PROBLEMS`);
  }

  check(account, row, harmed, reasons) {
    const { session, sent, received, how } = account;
    row.sessions += 1;
    row.up += sent;
    row.down += received;
    if (how === 'lost' && !harmed) this.problem(`session ${session} was lost, its server was well`);
    // What a killed server took with it, it cannot tell: what it had confirmed is known.
    if (!account.report && !harmed) this.problem(`session ${session}: its server has no account of it`);
    const theirs = account.report ?? { received: account.confirmed, sent: received };
    const up = sent - theirs.received;
    const down = theirs.sent - received;
    row['lost up'] += up;
    row['lost down'] += down;
    if (up < 0 || down < 0) this.problem(`session ${session}: more came than was sent (${up}, ${down})`);
    if (how === 'closed' && (up !== 0 || down !== 0)) this.problem(`session ${session}: lost ${up}, ${down}`);
    // The client gets its Close first, and what it had said by then still reaches the server.
    if (how === 'moved' && !harmed && up !== 0) this.problem(`session ${session}: moved, and ${up} of its messages are lost`);
    // Two ends at the same moment: either may be the one the log tells of.
    const crossed = ['closed', 'left'].includes(how) || account.closing;
    const may = [...kReasons[how], ...(crossed ? [...kReasons.moved, ...kReasons.closed] : [])];
    if (crossed && harmed) may.push(...kReasons.lost);
    if (reasons.length !== 1 || !may.includes(reasons[0]))
      this.problem(`session ${session} (${how}) is in the log as ${JSON.stringify(reasons)}`);
    if (kReasons[how].includes(reasons[0])) row['by the word'] += 1;
  }
}

// One session, from the client's end.
class Account {
  sent = 0;
  received = 0;
  confirmed = 0; // of what was sent, by the server's own messages
  closing = false;
  how = null; // closed, moved, lost, left

  constructor(run, session) {
    this.run = run;
    this.session = session;
    this.opened = new Promise((resolve) => (this.tell = resolve));
  }

  // Resolves at its end.
  open() {
    return new Promise((resolve) => {
      this.resolve = resolve;
      this.from = Date.now();
      connect(this.run.fairlead.port, `/s/${this.session}`, {
        message: (payload) => this.message(payload.toString()),
        close: (code, payload) => this.closed(code, payload),
        ended: () => this.ended(),
      }).then(({ status, server, end }) => {
        this.end = end;
        this.server = this.run.servers.find((one) => one.address === server);
        this.tell(status);
        if (status !== 101) return resolve();
        this.timer = setTimeout(() => this.speak(), between(0, 600));
        const life = setTimeout(() => this.leave(), between(2_000, 40_000));
        this.life = life;
        return undefined;
      });
    });
  }

  speak() {
    if (this.how || this.closing) return;
    if (this.run.stopping) return this.leave();
    this.say();
    this.timer = setTimeout(() => this.speak(), between(50, 1200));
    return undefined;
  }

  say() {
    this.end.message(Buffer.from(content(this.session, 'up', this.sent)));
    this.sent += 1;
  }

  message(text) {
    const space = text.indexOf(' ');
    const due = content(this.session, 'down', this.received);
    if (text.slice(space + 1) !== due)
      this.run.problem(`session ${this.session}: got ${text.slice(0, 60)} instead of ${due.slice(0, 60)}`);
    this.received += 1;
    this.confirmed = Number(text.slice(0, space));
    if (this.confirmed > this.sent) this.run.problem(`session ${this.session}: confirmed too much`);
    this.finish();
  }

  // Its time is over: a few go without a word, the others close when all they said has arrived.
  leave() {
    if (this.how || this.closing) return;
    clearTimeout(this.timer);
    if (chance(0.05)) {
      this.how = 'left';
      return void this.end.destroy();
    }
    this.closing = true;
    this.finish();
  }

  finish() {
    if (!this.closing || this.how || this.asked || this.confirmed !== this.sent) return;
    this.asked = true;
    this.end.sendClose(1000);
  }

  closed(code, payload) {
    if (this.how) return;
    if (this.asked && code === 1000) this.how = 'closed';
    else if (code === 1012) this.how = 'moved';
    else if (code === 1011) this.how = 'lost';
    else this.run.problem(`session ${this.session}: Close ${code}`);
    if (this.asked) this.end.destroy();
    else this.end.answerClose(payload);
  }

  ended() {
    clearTimeout(this.timer);
    clearTimeout(this.life);
    this.to = Date.now();
    // Without a Close: its server was killed in the middle of a frame, or there is a problem.
    if (!this.how && this.end) this.how = 'lost';
    this.resolve();
  }
}
