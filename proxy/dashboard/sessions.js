// The session table: a page of what /api/sessions has, asked for again every few seconds while
// somebody can see it.

import { confirmed, explain, request, toast } from './api.js';
import { byId, bytes, count, el, millis, setText, span, sync } from './dom.js';

const kPage = 25;
const kEvery = 3000; // ms

const perSecond = (session) => {
  const [number, unit] = bytes(session.bytes_per_s ?? NaN);
  const messages = Number.isFinite(session.msgs_per_s) ? `${count(session.msgs_per_s)} msg/s` : '';
  return [messages, number === '–' ? '' : `${number} ${unit}/s`].filter(Boolean).join(' · ') || '–';
};

export class Sessions {
  #offset = 0;
  #total = 0;
  #visible = false;
  #busy = false;
  #again = false;
  #typing = 0;
  #listeners = [];
  #available = true;
  #observer = null;

  constructor() {
    byId('filter').addEventListener('submit', (event) => event.preventDefault());
    byId('filter-text').addEventListener('input', () => {
      clearTimeout(this.#typing);
      this.#typing = setTimeout(() => this.#restart(), 250);
    });
    for (const id of ['filter-by', 'sort']) {
      byId(id).addEventListener('change', () => this.#restart());
    }
    byId('previous').addEventListener('click', () => this.#turn(-kPage));
    byId('next').addEventListener('click', () => this.#turn(kPage));
    byId('close-all').addEventListener('click', () => this.#closeAll());
    setInterval(() => this.#visible && !document.hidden && this.refresh(), kEvery);
  }

  // What else is on the page is drawn: whether this can be seen is known from now on. `listeners`:
  // for the words shown where there is no session.
  begin(listeners) {
    this.#listeners = listeners;
    this.#observer ??= this.#observe();
  }

  #observe() {
    const observer = new IntersectionObserver(([entry]) => {
      this.#visible = entry.isIntersecting;
      if (this.#visible) this.refresh();
    });
    observer.observe(byId('sessions'));
    return observer;
  }

  // Shows those of a server, a client, ...
  find(field, text) {
    byId('filter-by').value = field;
    byId('filter-text').value = text;
    byId('sessions').scrollIntoView();
    byId('sessions').focus({ preventScroll: true });
    this.#restart();
  }

  // Asks anew; while an answer is awaited, once more after it.
  async refresh() {
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    const query = new URLSearchParams(this.#filter());
    query.set('sort', byId('sort').value);
    query.set('limit', kPage);
    query.set('offset', this.#offset);
    let answer;
    try {
      answer = await fetchSessions(query);
    } finally {
      this.#busy = false;
    }
    if (this.#again) {
      this.#again = false;
      return this.refresh();
    }
    this.#show(answer);
  }

  #filter() {
    const text = byId('filter-text').value.trim();
    return text === '' ? {} : { [byId('filter-by').value]: text };
  }

  #restart() {
    this.#offset = 0;
    this.refresh();
  }

  #turn(by) {
    this.#offset = Math.max(0, this.#offset + by);
    this.refresh();
  }

  #show({ ok, status, body }) {
    if (status === 0) return; // the page says so already
    this.#available = ok && Array.isArray(body.sessions);
    const sessions = this.#available ? body.sessions : [];
    this.#total = this.#available ? body.total : 0;
    if (sessions.length === 0 && this.#offset > 0 && this.#available) {
      this.#offset = Math.max(0, Math.floor((this.#total - 1) / kPage) * kPage);
      if (this.#total > 0) return void this.refresh();
    }
    sync(
      byId('session-rows'),
      sessions,
      (one) => one.conn_id,
      () => this.#make(),
      update,
    );
    this.#showNotes(sessions.length, status, body);
  }

  #showNotes(shown, status, body) {
    const filtered = Object.keys(this.#filter()).length > 0;
    const noun = this.#total === 1 ? 'session' : 'sessions';
    setText(
      byId('sessions-note'),
      this.#available ? `${count(this.#total)} ${noun}${filtered ? ' found' : ''}` : '',
    );
    byId('sessions-box').hidden = shown === 0;
    byId('sessions-empty').hidden = shown !== 0;
    byId('close-all').disabled = !filtered || this.#total === 0;
    if (shown === 0) this.#showEmpty(filtered, status, body);
    byId('pages').hidden = this.#total <= kPage;
    byId('previous').disabled = this.#offset === 0;
    byId('next').disabled = this.#offset + shown >= this.#total;
    setText(
      byId('page-note'),
      `${count(this.#offset + 1)} to ${count(this.#offset + shown)} of ${count(this.#total)}`,
    );
  }

  #showEmpty(filtered, status, body) {
    let [title, text] = ['No session is open', ''];
    const urls = this.#listeners
      .map((one) => `${one.tls ? 'wss' : 'ws'}://${one.address}`)
      .slice(0, 3);
    if (urls.length > 0)
      text = `They show up here as soon as a WebSocket client connects to ${urls.join(' or ')}.`;
    if (filtered) [title, text] = ['No session fits', 'Clear the filter to see all.'];
    if (status === 404)
      [title, text] = ['Not available', 'This version of Fairlead keeps no list of sessions.'];
    else if (!this.#available)
      [title, text] = ['The list could not be had', body.error ?? `Fairlead answered ${status}.`];
    const box = byId('sessions-empty');
    if (box.textContent !== title + text) box.replaceChildren(el('strong', {}, title), text);
  }

  #make() {
    const row = el('tr');
    const close = el(
      'button',
      { type: 'button', class: 'small danger', onclick: () => this.#close(row.session) },
      'Close',
    );
    row.parts = {
      client: el('span', { class: 'mono' }),
      path: el('span', { class: 'under' }),
      route: el('td', { class: 'wide' }),
      server: el('td', { class: 'server mono' }),
      age: el('td', { class: 'num age' }),
      idle: el('td', { class: 'num idle' }),
      rtt: el('td', { class: 'num wide' }),
      messages: el('td', { class: 'num wide' }),
      rate: el('td', { class: 'num wide' }),
      close,
    };
    const { client, path, route, server, age, idle, rtt, messages, rate } = row.parts;
    row.append(
      el('td', {}, client, path),
      route,
      server,
      age,
      idle,
      rtt,
      messages,
      rate,
      el('td', { class: 'act' }, close),
    );
    return row;
  }

  async #close(session) {
    const who = session.client_ip ?? 'a local client';
    const text = `The session of ${who} at ${session.server ?? 'its server'} is ended with a Close. Most clients connect again.`;
    if (!(await confirmed('Close this session?', text, 'Close it'))) return;
    const answer = await request('DELETE', `/api/sessions/${encodeURIComponent(session.conn_id)}`);
    if (answer.ok) toast('The session is closed.');
    else
      toast(
        answer.status === 404 ? 'It had ended already.' : explain(answer),
        answer.status !== 404,
      );
    this.refresh();
  }

  async #closeAll() {
    const filter = this.#filter();
    const [[field, text]] = Object.entries(filter);
    const title = `Close ${count(this.#total)} ${this.#total === 1 ? 'session' : 'sessions'}?`;
    if (
      !(await confirmed(
        title,
        `All whose ${field} is “${text}”, on every page of the list.`,
        'Close them',
      ))
    )
      return;
    const answer = await request('DELETE', `/api/sessions?${new URLSearchParams(filter)}`);
    if (answer.ok) toast(`${count(answer.body.closed ?? 0)} closed.`);
    else toast(explain(answer), true);
    this.refresh();
  }
}

// Reading needs the token off loopback only; the stream of events has asked for it by then.
const fetchSessions = (query) => request('GET', `/api/sessions?${query}`);

function update(row, session) {
  const { client, path, route, server, age, idle, rtt, messages, rate, close } = row.parts;
  row.session = session;
  setText(client, session.client_ip ?? 'unix socket');
  setText(path, session.path ?? '');
  setText(route, session.route ?? '');
  setText(server, session.server ?? '');
  setText(age, span(session.duration_ms ?? NaN));
  setText(idle, span(session.idle_ms ?? NaN));
  setText(rtt, Number.isFinite(session.rtt_ms) ? `${millis(session.rtt_ms)} ms` : '–');
  setText(messages, `${count(session.msgs_in ?? NaN)} / ${count(session.msgs_out ?? NaN)}`);
  setText(rate, perSecond(session));
  close.setAttribute(
    'aria-label',
    `Close the session of ${session.client_ip ?? 'a local client'}, ${session.conn_id}`,
  );
}
