// Servers, workers, listeners and what ended last.

import { confirmed, explain, request, toast } from './api.js';
import { byId, clock, count, el, setClass, setText, span, sync, track } from './dom.js';

const kDay = 86_400_000;
const kEnds = 100;

// --- servers ---

function stateOf(server) {
  if (server.state === 'drain')
    return server.sessions > 0 ? ['Draining', 'warn'] : ['Drained', 'warn'];
  if (server.state === 'down') return ['Down', 'bad'];
  return server.state === 'ejected' ? ['Ejected', 'bad'] : ['Ready', 'good'];
}

// Why it is so, and what was wrong last.
function whyOf(server) {
  if (server.reason) return server.reason;
  return server.last_error ? `Last error: ${server.last_error}` : '';
}

async function setState(backend, server) {
  const drain = server.set === 'ready';
  if (drain) {
    const sessions = server.sessions;
    const text =
      sessions === 0
        ? 'It gets no new sessions until you set it ready again.'
        : `It gets no new sessions, and its ${count(sessions)} open ones are told to connect again (close code 1012), at the rate of server.drain.`;
    if (!(await confirmed(`Drain ${server.address}?`, text, 'Drain'))) return;
  }
  const path = `/api/backends/${encodeURIComponent(backend.name)}/servers/${encodeURIComponent(server.address)}`;
  const answer = await request('POST', path, { state: drain ? 'drain' : 'ready' });
  if (answer.ok) toast(drain ? `${server.address} is draining.` : `${server.address} is ready.`);
  else toast(explain(answer), true);
}

function makeServer(find) {
  const row = el('tr');
  row.parts = {
    name: el('span', { class: 'mono' }),
    tag: el('span', { class: 'tag' }),
    meter: track(),
    sessions: el('button', {
      type: 'button',
      class: 'link',
      onclick: () => find('server', row.server.address),
    }),
    weight: el('td', { class: 'num wide' }),
    button: el('button', {
      type: 'button',
      class: 'small',
      onclick: () => setState(row.backend, row.server),
    }),
  };
  const { name, tag, meter, sessions, weight, button } = row.parts;
  row.append(
    el('td', {}, name),
    el('td', { class: 'nowrap' }, tag),
    el(
      'td',
      { class: 'share' },
      el('div', { class: 'meter' }, meter.bar, el('span', {}, sessions)),
    ),
    weight,
    el('td', { class: 'act' }, button),
  );
  return row;
}

function updateServer(row, backend, server, most) {
  const { name, tag, meter, sessions, weight, button } = row.parts;
  row.backend = backend;
  row.server = server;
  const [word, kind] = stateOf(server);
  setText(name, server.address);
  setText(tag, word);
  setClass(tag, `tag ${kind}`);
  tag.title = whyOf(server);
  meter.show(most === 0 ? 0 : server.sessions / most);
  setText(sessions, count(server.sessions));
  sessions.setAttribute(
    'aria-label',
    `${server.sessions} sessions of ${server.address}: show them`,
  );
  setText(weight, server.weight);
  const drain = server.set === 'ready';
  setText(button, drain ? 'Drain' : 'Set ready');
  button.setAttribute('aria-label', `${drain ? 'Drain' : 'Set ready'}: ${server.address}`);
}

function makeBackend() {
  const head = (text, kind) => el('th', { scope: 'col', class: kind }, text);
  const block = el('div', { class: 'backend' });
  const parts = { title: el('b'), note: el('span', { class: 'quiet' }), body: el('tbody') };
  block.parts = parts;
  block.append(
    el('h3', {}, parts.title, parts.note),
    el(
      'table',
      {},
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          head('Server'),
          head('State'),
          head('Sessions'),
          head('Weight', 'num wide'),
          el('th', { scope: 'col' }, el('span', { class: 'unseen' }, 'Action')),
        ),
      ),
      parts.body,
    ),
  );
  return block;
}

// `find(field, text)`: shows the sessions of a server.
export function showServers(backends, find) {
  const usable = (server) => server.state === 'ready' && server.up;
  const all = backends.flatMap((backend) => backend.servers);
  setText(byId('servers-note'), `${all.filter(usable).length} of ${all.length} take sessions`);
  sync(
    byId('servers'),
    backends,
    (backend) => backend.name,
    makeBackend,
    (block, backend) => {
      const sessions = backend.servers.reduce((sum, one) => sum + one.sessions, 0);
      const most = Math.max(...backend.servers.map((one) => one.sessions), 0);
      const { title, note, body } = block.parts;
      setText(title, backend.name);
      setText(note, `${count(sessions)} ${sessions === 1 ? 'session' : 'sessions'}`);
      sync(
        body,
        backend.servers,
        (one) => one.address,
        () => makeServer(find),
        (row, server) => updateServer(row, backend, server, most),
      );
    },
  );
}

// --- workers, listeners ---

export function showWorkers(workers) {
  const most = Math.max(...workers.map((one) => one.connections), 1);
  const make = () => {
    const parts = { name: el('span'), meter: track(), number: el('span') };
    const row = el('li', {}, parts.name, parts.meter.bar, parts.number);
    row.parts = parts;
    return row;
  };
  sync(
    byId('workers'),
    workers,
    (one) => one.worker,
    make,
    (row, one) => {
      const { name, meter, number } = row.parts;
      setText(name, `Worker ${one.worker}`);
      setText(number, count(one.connections));
      meter.show(one.connections / most);
    },
  );
}

function expiry(certificate, now) {
  const left = Date.parse(certificate.not_after) - now;
  if (!Number.isFinite(left)) return ['unknown expiry', 'warn'];
  const days = Math.floor(left / kDay);
  if (left <= 0) return ['expired', 'bad'];
  if (days < 1) return [`${span(left)} left`, 'bad'];
  return [
    `${days} ${days === 1 ? 'day' : 'days'} left`,
    days < 7 ? 'bad' : days < 21 ? 'warn' : 'good',
  ];
}

export function showListeners(status, now) {
  const make = () => {
    const row = el('li');
    const parts = {
      name: el('span', { class: 'mono' }),
      tag: el('span', { class: 'tag' }),
      under: el('span'),
      until: el('span', { class: 'whole' }),
    };
    row.parts = parts;
    row.append(
      el('div', { class: 'row' }, parts.name, parts.tag),
      el('span', { class: 'under' }, parts.under, ' ', parts.until),
    );
    return row;
  };
  sync(
    byId('listeners'),
    status.listeners,
    (one) => one.address,
    make,
    (row, one) => {
      const certificate = (status.certificates ?? []).find((each) => each.listener === one.address);
      const [word, kind] = certificate
        ? expiry(certificate, now)
        : [one.tls ? 'TLS' : 'no TLS', ''];
      const { name, tag, under, until } = row.parts;
      setText(name, one.address);
      setText(tag, word);
      setClass(tag, `tag ${kind}`);
      const names = certificate?.names ?? [];
      const shown =
        names.slice(0, 4).join(', ') + (names.length > 4 ? ` and ${names.length - 4} more` : '');
      setText(under, certificate ? shown || 'no name' : '');
      setText(until, certificate ? `until ${certificate.not_after.slice(0, 10)}` : '');
    },
  );
}

export function showReload(reload, now) {
  const box = byId('reload-state');
  if (!reload) return setText(box, 'As at the start: no reload yet.');
  const when = `${span(now - Date.parse(reload.at))} ago`;
  const counts = `${reload.succeeded} taken over, ${reload.failed} refused since the start.`;
  setText(
    box,
    `${reload.ok ? 'Last reload taken over' : 'Last reload refused'} ${when}. ${counts}`,
  );
}

// --- what ended ---

function kindOf(end) {
  if (end.event === 'close') return end.usual ? ['Closed', ''] : ['Broken off', 'bad'];
  return end.usual ? ['Ended', ''] : ['Refused', 'warn'];
}

function detailOf(end) {
  const parts = [end.reason];
  if (end.status && end.event === 'http') parts.push(`HTTP ${end.status}`);
  if (end.close_code) parts.push(`close ${end.close_code}`);
  if (end.close_reason) parts.push(`“${end.close_reason}”`);
  if (end.reason === 'origin_denied' && end.origin) parts.push(`origin ${end.origin}`);
  if (end.event === 'close') parts.push(`after ${span(end.duration_ms ?? 0)}`);
  else if (end.path) parts.push(end.path);
  return parts.join(' · ');
}

function makeEnd(end) {
  const [word, kind] = kindOf(end);
  return el(
    'tr',
    {},
    el('td', { class: 'nowrap' }, clock(end.at)),
    el('td', { class: 'nowrap' }, el('span', { class: `tag ${kind}` }, word)),
    el('td', {}, end.text, el('span', { class: 'under' }, detailOf(end))),
    el('td', { class: 'wide mono' }, end.client_ip ?? ''),
    el('td', { class: 'wide' }, end.route ?? ''),
    el('td', { class: 'wide mono' }, end.server ?? ''),
  );
}

export class Ends {
  #ends = []; // the newest first, kEnds at most
  #seen = 0;

  constructor() {
    byId('problems-only').addEventListener('change', () => this.draw());
  }

  // Another process counts its own.
  clear() {
    this.#ends = [];
  }

  add(ends) {
    // A stream that was lost and came back begins with what was there before.
    const known = new Set(this.#ends.map((end) => end.key));
    for (const end of ends) {
      end.key = `${end.conn_id} ${end.at} ${end.event} ${end.reason}`;
      if (!known.has(end.key)) this.#ends.push({ ...end, number: ++this.#seen });
    }
    this.#ends.sort((a, b) => b.at - a.at || b.number - a.number);
    this.#ends.length = Math.min(this.#ends.length, kEnds);
  }

  draw() {
    const problems = byId('problems-only').checked;
    const shown = this.#ends.filter((end) => !problems || !end.usual);
    sync(
      byId('ends'),
      shown,
      (end) => end.number,
      makeEnd,
      () => {},
    );
    byId('ends-box').hidden = shown.length === 0;
    byId('ends-empty').hidden = shown.length !== 0;
    setText(
      byId('ends-empty'),
      problems && this.#ends.length > 0
        ? 'No problems among the last ends.'
        : 'Nothing has ended or been refused so far.',
    );
  }
}
