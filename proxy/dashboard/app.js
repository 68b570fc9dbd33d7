// The dashboard. A tick comes each second and is drawn once, unless nobody can see it.

import {
  askToken,
  confirmed,
  explain,
  hasToken,
  headers,
  request,
  setToken,
  toast,
} from './api.js';
import { makeCards } from './cards.js';
import { byId, count, el, setClass, setText, span, sync } from './dom.js';
import { History } from './history.js';
import { Live } from './live.js';
import { Sessions } from './sessions.js';
import { Ends, showListeners, showReload, showServers, showWorkers } from './tables.js';

const history = new History();
const cards = makeCards(history);
const sessions = new Sessions();
const ends = new Ends();
let tick = null;
let lost = null; // { until, why } while there is no connection
let drawn = true;
let version = null; // of the Fairlead this page came from

// --- the connection ---

function setLink(text, kind) {
  setText(byId('link-text'), text);
  setClass(byId('link'), `pill ${kind}`);
}

function showLink() {
  byId('main').classList.toggle('stale', lost !== null);
  if (lost) {
    const left = Math.ceil((lost.until - Date.now()) / 1000);
    setLink(
      left > 0 ? `Connection lost, trying again in ${left} s` : 'Connection lost, trying again',
      'warn',
    );
    document.title = 'Connection lost · Fairlead';
    return;
  }
  if (!tick) return;
  const draining = tick.status.draining;
  setLink(draining ? 'Draining' : 'Live', draining ? 'warn' : 'good');
  document.title = `${count(tick.status.sessions)} sessions · Fairlead`;
}

const live = new Live(headers, {
  event(name, data) {
    if (lost) {
      lost = null;
      byId('lock').hidden = !hasToken();
    }
    if (name === 'tick') take(data);
    if (name === 'ends') ends.add(data);
    schedule();
  },
  lost(wait, why) {
    lost = { until: Date.now() + wait, why };
    schedule();
  },
  async refused({ status, message }) {
    setLink(status === 401 ? 'Locked' : 'Refused', 'bad');
    const had = hasToken();
    if (had) setToken('');
    if (status === 403) toast(`Fairlead refuses this page: ${message}.`, true);
    else if (
      await askToken(
        had
          ? 'That token was refused. Try another?'
          : 'This address shows nothing without its token.',
      )
    )
      live.start();
    else toast('Without the token there is nothing to see. Load the page again to enter it.', true);
  },
});

function take(data) {
  if (tick && tick.status.pid !== data.status.pid) ends.clear();
  tick = data;
  tick.totals ??= {};
  version ??= tick.status.version;
  history.add(tick);
}

// --- drawing ---

// In a hidden page frames are not drawn: what came last is once it shows again.
function schedule() {
  if (!drawn) return;
  drawn = false;
  requestAnimationFrame(() => {
    drawn = true;
    draw();
  });
}

function draw() {
  showLink();
  showBanners();
  ends.draw();
  if (!tick) return;
  const { status, backends } = tick;
  setText(byId('version'), status.version);
  setText(byId('uptime'), span(status.uptime_s * 1000));
  setText(byId('connections'), count(status.connections));
  setText(byId('pid'), status.pid);
  for (const card of cards) card.show(tick);
  showServers(backends, (field, text) => sessions.find(field, text));
  showWorkers(status.workers);
  showListeners(status, tick.at);
  showReload(status.last_reload, tick.at);
  sessions.begin(status.listeners);
}

function bannersNow() {
  const banners = [];
  if (lost)
    banners.push([
      'bad',
      `No connection to Fairlead: ${lost.why}. What you see is as it was; this page goes on trying.`,
    ]);
  if (!tick) return banners;
  const { status, backends } = tick;
  if (status.draining)
    banners.push([
      'warn',
      'Fairlead drains: it takes nothing new and ends once its sessions have gone.',
    ]);
  if (status.last_reload && !status.last_reload.ok) {
    banners.push([
      'bad',
      'The last reload was refused; the configuration before it is in force. The log says what is wrong with the file.',
    ]);
  }
  if (status.version !== version)
    banners.push(['warn', `Fairlead is ${status.version} now: load this page again.`]);
  for (const backend of backends) {
    if (backend.servers.some((one) => one.state === 'ready' && one.up)) continue;
    banners.push([
      'bad',
      `Backend ${backend.name} has no server that takes sessions: its clients are refused.`,
    ]);
  }
  for (const drain of status.drains ?? []) {
    if (drain.left > 0)
      banners.push([
        'warn',
        `Draining ${drain.what}: ${count(drain.left)} of ${count(drain.total)} sessions left.`,
      ]);
  }
  return banners.slice(0, 6);
}

function showBanners() {
  const make = ([kind]) => el('p', { class: `banner ${kind}` });
  sync(
    byId('banners'),
    bannersNow(),
    ([, text]) => text.slice(0, 40),
    make,
    (node, [kind, text]) => {
      setText(node, text);
      setClass(node, `banner ${kind}`);
    },
  );
}

// --- the buttons on top ---

const kThemes = ['system', 'light', 'dark'];

function showTheme(theme) {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  setText(
    byId('theme'),
    { system: 'Theme: system', light: 'Theme: light', dark: 'Theme: dark' }[theme],
  );
  for (const card of cards) card.redraw();
}

byId('theme').addEventListener('click', () => {
  const now = document.documentElement.dataset.theme ?? 'system';
  const next = kThemes[(kThemes.indexOf(now) + 1) % kThemes.length];
  try {
    localStorage.setItem('fairlead-theme', next);
  } catch {
    // Then it counts until the page is left.
  }
  showTheme(next);
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () =>
  cards.forEach((card) => card.redraw()),
);

byId('reload').addEventListener('click', async () => {
  const text =
    'Fairlead reads its file again. If anything in it is wrong, nothing changes; open sessions stay in any case.';
  if (!(await confirmed('Reload the configuration?', text, 'Reload'))) return;
  const answer = await request('POST', '/api/reload');
  if (answer.ok) toast('The configuration was taken over.');
  else toast(explain(answer), true);
});

byId('lock').addEventListener('click', () => {
  setToken('');
  toast('The token is forgotten.');
});

byId('lock').hidden = !hasToken();
showTheme(document.documentElement.dataset.theme ?? 'system');
setInterval(() => lost && !document.hidden && showLink(), 500);
live.start();
