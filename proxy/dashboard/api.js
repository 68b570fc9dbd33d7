// Requests to Fairlead, with the token where there is one; and the two dialogs they may need.

import { byId, el, setText } from './dom.js';

const kKey = 'fairlead-token';
let token = '';

try {
  // Behind "#" it never left the browser, and should not stay in the address bar either.
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given) {
    sessionStorage.setItem(kKey, given);
    history.replaceState(null, '', location.pathname + location.search);
  }
  token = sessionStorage.getItem(kKey) ?? '';
} catch {
  // Storage is switched off: the page asks.
}

export const hasToken = () => token !== '';

export function setToken(value) {
  token = value;
  byId('lock').hidden = token === '';
  try {
    if (token) sessionStorage.setItem(kKey, token);
    else sessionStorage.removeItem(kKey);
  } catch {
    // Then it lives as long as the page.
  }
}

// What a header can carry: anything else cannot be the token.
const sendable = (value) => /^[\x21-\x7e]+$/.test(value);

export const headers = () => (token && sendable(token) ? { Authorization: `Bearer ${token}` } : {});

// No submit buttons: Enter in a field would press the first of them.
for (const button of document.querySelectorAll('dialog .cancel')) {
  button.addEventListener('click', () => button.closest('dialog').close());
}

// Resolves to 'yes' or something else.
function closed(dialog) {
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue), { once: true });
    dialog.returnValue = '';
    dialog.showModal();
  });
}

export async function confirmed(title, text, yes) {
  const dialog = byId('ask');
  if (dialog.open) return false;
  setText(byId('ask-title'), title);
  setText(byId('ask-text'), text);
  setText(byId('ask-yes'), yes);
  return (await closed(dialog)) === 'yes';
}

// Whether there is a token to try now.
export async function askToken(text) {
  const dialog = byId('token');
  if (dialog.open) return false;
  setText(byId('token-text'), text);
  byId('token-value').value = '';
  const answer = await closed(dialog);
  const value = byId('token-value').value.trim();
  byId('token-value').value = '';
  if (answer !== 'yes' || value === '') return false;
  setToken(value);
  return true;
}

export function toast(text, bad = false) {
  const box = byId('toasts');
  while (box.childElementCount >= 4) box.firstElementChild.remove();
  const one = el('div', { class: bad ? 'toast bad' : 'toast' }, text);
  box.append(one);
  setTimeout(() => one.remove(), bad ? 10_000 : 4000);
}

// { ok, status, body }; status 0: nobody answered. Asks for the token where that is what is missing.
export async function request(method, path, body) {
  for (;;) {
    let answer;
    let text = '';
    try {
      answer = await fetch(path, {
        method,
        headers: { ...headers(), ...(body ? { 'Content-Type': 'application/json' } : {}) },
        body: body && JSON.stringify(body),
        cache: 'no-store',
        signal: AbortSignal.timeout(15_000),
      });
      text = await answer.text();
    } catch {
      return { ok: false, status: 0, body: { error: 'Fairlead does not answer.' } };
    }
    let json = {};
    try {
      json = JSON.parse(text);
    } catch {
      // No JSON: only the status counts.
    }
    if (answer.status === 401 && method !== 'GET') {
      const had = hasToken();
      if (had) setToken('');
      const why = had
        ? 'That token was refused. Try another?'
        : 'To change something takes the token.';
      if (await askToken(why)) continue;
    }
    return { ok: answer.ok, status: answer.status, body: json };
  }
}

// What was refused, for people.
export function explain({ body, status }) {
  const problems = (body.problems ?? []).slice(0, 5);
  return [body.error ?? `Fairlead answered ${status}.`, ...problems].join('\n');
}
