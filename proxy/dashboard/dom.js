// Building blocks. Whatever comes from outside becomes text, never markup.

export const byId = (id) => document.getElementById(id);

// An element with attributes ("onclick": a listener) and children; strings become text.
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children);
  return made;
}

// Touches the page only where something changes, so that selections and screen readers keep calm.
export function setText(node, text) {
  const wanted = String(text);
  if (node.textContent !== wanted) node.textContent = wanted;
}

export function setClass(node, value) {
  if (node.className !== value) node.className = value;
}

// A bar; what it says stands next to it as text.
export function track() {
  const fill = el('div');
  const bar = el('div', { class: 'track', 'aria-hidden': 'true' }, fill);
  const show = (part) => {
    const width = `${(100 * part).toFixed(1)}%`;
    if (fill.style.width !== width) fill.style.width = width;
  };
  return { bar, show };
}

const kept = new WeakMap();

// Makes the children of `parent` those of `items`, in their order. A child is made once for a key
// and updated from then on: what has the focus keeps it.
export function sync(parent, items, keyOf, make, update) {
  const before = kept.get(parent) ?? new Map();
  const now = new Map();
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    if (now.has(key)) continue;
    const child = before.get(key) ?? make(item);
    now.set(key, child);
    before.delete(key);
    update(child, item);
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
  }
  for (const gone of before.values()) gone.remove();
  kept.set(parent, now);
}

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });

// 1,234 · 12.3k · 4.5M
export function count(n) {
  if (!Number.isFinite(n)) return '–';
  if (n >= 1e7) return `${tenths.format(n / 1e6)}M`;
  if (n >= 1e5) return `${tenths.format(n / 1e3)}k`;
  return n < 10 ? tenths.format(n) : whole.format(n);
}

// [number, unit], such as ['1.5', 'KiB']
export function bytes(n) {
  if (!Number.isFinite(n)) return ['–', ''];
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  for (; n >= 1000 && unit < units.length - 1; ++unit) n /= 1024;
  return [n < 100 && unit > 0 ? tenths.format(n) : whole.format(n), units[unit]];
}

export const millis = (n) => (Number.isFinite(n) ? (n < 10 ? tenths : whole).format(n) : '–');

// "12 s", "3 min 4 s", "5 h 6 min", "7 d 8 h"
export function span(ms) {
  if (!Number.isFinite(ms)) return '–';
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

const two = (n) => String(n).padStart(2, '0');

// Local time; the day too, unless it is today.
export function clock(ms) {
  const at = new Date(ms);
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  if (at.toDateString() === new Date().toDateString()) return time;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}
