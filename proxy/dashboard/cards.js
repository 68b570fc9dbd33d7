// The cards on top: a number, what it is made of, and its last ten minutes.

import { Chart } from './chart.js';
import { byId, bytes, clock, count, el, millis, setText, sync } from './dom.js';

const spaced = (n) => bytes(n).join(' ');

// The largest of { name: n }, as [name, n].
const largest = (counts, most) =>
  Object.entries(counts ?? {})
    .filter(([, n]) => n > 0)
    .sort((a, b) => b[1] - a[1])
    .slice(0, most);

const sinceStart = (counts) =>
  largest(counts, 2).map(([name, n]) => [name.replaceAll('_', ' '), count(n)]);

// `series`: [name in the history, label]. `notes`: more lines for the legend, from a tick.
const kCards = [
  {
    title: 'Sessions',
    series: [['sessions', '']],
    notes: ({ status }) => [
      [`of ${count(status.max_connections)} connections`, count(status.connections)],
    ],
  },
  {
    title: 'Messages',
    unit: '/s',
    series: [
      ['messages_in', 'in'],
      ['messages_out', 'out'],
    ],
  },
  {
    title: 'Data',
    unit: '/s',
    text: spaced,
    pair: bytes,
    base: 1024,
    series: [
      ['bytes_in', 'in'],
      ['bytes_out', 'out'],
    ],
  },
  {
    title: 'Round trip of pings',
    unit: 'ms',
    text: millis,
    first: true,
    series: [
      ['rtt50', 'median'],
      ['rtt90', '90 %'],
      ['rtt99', '99 %'],
    ],
  },
  {
    title: 'New sessions',
    unit: '/s',
    series: [['handshakes', '']],
    notes: ({ totals }) =>
      Number.isFinite(totals.handshakes) ? [['since the start', count(totals.handshakes)]] : [],
  },
  {
    title: 'Refused',
    unit: '/s',
    series: [['refused', '']],
    colours: ['--two'],
    notes: ({ totals }) => sinceStart(totals.refused),
  },
  {
    title: 'Sessions ended',
    unit: '/s',
    series: [['closed', '']],
    colours: ['--three'],
    notes: ({ totals }) => sinceStart(totals.ends ?? totals.closes),
  },
  {
    title: 'HTTP requests',
    unit: '/s',
    series: [['http', '']],
    notes: ({ totals }) =>
      Number.isFinite(totals.http_requests)
        ? [['since the start', count(totals.http_requests)]]
        : [],
  },
];

const kColours = ['--one', '--two', '--three'];
const kKeys = ['one', 'two', 'three'];

class Card {
  #about;
  #history;
  #tick = null;
  #index = null; // what is pointed at
  #parts;
  #chart;

  constructor(about, history) {
    this.#about = { text: count, notes: () => [], colours: kColours, ...about };
    this.#history = history;
    const canvas = el('canvas', { role: 'img' });
    this.#parts = {
      title: el('h3'),
      number: el('span'),
      unit: el('small'),
      legend: el('ul', { class: 'legend' }),
      canvas,
    };
    const { title, number, unit, legend } = this.#parts;
    byId('cards').append(
      el(
        'div',
        { class: 'card' },
        title,
        el('p', { class: 'value' }, number, unit),
        legend,
        canvas,
      ),
    );
    this.#chart = new Chart(canvas, {
      colours: this.#about.colours,
      base: this.#about.base,
      format: (value) => this.#about.text(value),
      onPoint: (index) => {
        this.#index = index;
        this.#write();
      },
    });
    this.#write();
  }

  show(tick) {
    this.#tick = tick;
    this.#write();
    this.#chart.show(
      this.#history,
      this.#about.series.map(([name]) => name),
    );
  }

  redraw() {
    this.#chart.draw();
  }

  #write() {
    const { title, series, unit = '', text, pair, first } = this.#about;
    const at = this.#index ?? this.#history.times.length - 1;
    const values = series.map(([name]) => this.#history.value(name, at));
    const value = first ? values[0] : values.reduce((sum, n) => sum + n, 0);
    const [number, scale] = pair ? pair(value) : [text(value), ''];
    setText(
      this.#parts.title,
      this.#index === null ? title : `${title} at ${clock(this.#history.times[at])}`,
    );
    setText(this.#parts.number, number);
    setText(this.#parts.unit, number === '–' ? '' : scale + unit);
    this.#writeLegend(values);
    this.#parts.canvas.setAttribute(
      'aria-label',
      `${title}, last ten minutes; now ${number} ${scale}${unit}`,
    );
  }

  #writeLegend(values) {
    const { series, text, notes } = this.#about;
    const lines = series
      .map(([, label], i) => ({ key: kKeys[i], label, value: text(values[i]) }))
      .filter(({ label }) => label !== '');
    for (const [label, value] of this.#tick ? notes(this.#tick) : [])
      lines.push({ key: '', label, value });
    const make = ({ key }) => {
      const line = el('li', {}, ...(key ? [el('i', { class: key })] : []), el('b'), el('span'));
      line.parts = { amount: line.querySelector('b'), name: line.querySelector('span') };
      return line;
    };
    sync(
      this.#parts.legend,
      lines,
      (line) => line.key + line.label,
      make,
      (line, { label, value }) => {
        setText(line.parts.amount, value);
        setText(line.parts.name, label);
      },
    );
  }
}

export const makeCards = (history) => kCards.map((about) => new Card(about, history));
