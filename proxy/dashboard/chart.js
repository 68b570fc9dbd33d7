// A small line chart on a canvas: the last minutes of a few series, the newest on the right.

const kLeast = 60_000; // shows a minute at least

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// A round number at or above `value`; round in the unit it will be shown in, if `base` is 1024.
function niceCeiling(value, base) {
  if (!(value > 0)) return 1;
  let unit = 1;
  while (base === 1024 && value / unit >= 1000) unit *= 1024;
  const power = 10 ** Math.floor(Math.log10(value / unit)) * unit;
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((step) => step * power >= value) * power;
}

const minutesAgo = (ms) => `${Math.round(ms / 60_000)} min ago`;

export class Chart {
  #canvas;
  #colours;
  #format;
  #onPoint;
  #base;
  #history;
  #names;
  #point = null; // the pointer's x, CSS pixels

  // `colours`: CSS variables, one per series; `format`: a value as a label; `onPoint`: called with
  // the index of what is pointed at, or null; `base`: 1024 for bytes.
  constructor(canvas, { colours, format, onPoint, base }) {
    this.#canvas = canvas;
    this.#colours = colours;
    this.#format = format;
    this.#onPoint = onPoint;
    this.#base = base;
    canvas.addEventListener('pointermove', (event) => this.#moved(event.offsetX));
    canvas.addEventListener('pointerleave', () => this.#moved(null));
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  // What it shows from now on: times, and `names` of history's series.
  show(history, names) {
    this.#history = history;
    this.#names = names;
    this.draw();
  }

  #moved(x) {
    this.#point = x;
    this.#onPoint(x === null ? null : this.#indexAt(x));
    this.draw();
  }

  #range() {
    const { times } = this.#history;
    const last = times.at(-1) ?? 0;
    return { last, width: Math.max(kLeast, last - (times[0] ?? last)) };
  }

  #indexAt(x) {
    const { times } = this.#history;
    if (times.length === 0) return null;
    const { last, width } = this.#range();
    const wanted = last - width * (1 - x / this.#canvas.clientWidth);
    let best = times.length - 1;
    while (best > 0 && Math.abs(times[best - 1] - wanted) <= Math.abs(times[best] - wanted)) --best;
    return best;
  }

  draw() {
    const canvas = this.#canvas;
    const [w, h] = [canvas.clientWidth, canvas.clientHeight];
    if (!this.#history || w === 0 || h === 0) return;
    const scale = window.devicePixelRatio || 1;
    const [pw, ph] = [Math.round(w * scale), Math.round(h * scale)];
    if (canvas.width !== pw || canvas.height !== ph) [canvas.width, canvas.height] = [pw, ph];
    const context = canvas.getContext('2d');
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, w, h);
    const frame = { top: 15, bottom: h - 16, w };
    const ceiling = this.#axes(context, frame);
    this.#names.forEach((name, i) => this.#line(context, frame, ceiling, name, i));
    this.#cross(context, frame);
  }

  #axes(context, { top, bottom, w }) {
    let most = 0;
    for (const name of this.#names) {
      for (const value of this.#history.series[name]) if (value > most) most = value;
    }
    const ceiling = niceCeiling(most, this.#base);
    context.font = `10.5px ${css('--sans')}`;
    context.lineWidth = 1;
    context.strokeStyle = css('--hair');
    context.beginPath();
    for (const y of [top, (top + bottom) / 2, bottom]) {
      context.moveTo(0, Math.round(y) + 0.5);
      context.lineTo(w, Math.round(y) + 0.5);
    }
    context.stroke();
    context.fillStyle = css('--soft');
    context.textBaseline = 'bottom';
    context.textAlign = 'left';
    if (most > 0) context.fillText(this.#format(ceiling), 0, top - 1);
    if (this.#history.times.length > 0) {
      context.fillText(minutesAgo(this.#range().width), 0, bottom + 15);
      context.textAlign = 'right';
      context.fillText('now', w, bottom + 15);
    }
    return ceiling;
  }

  #line(context, { top, bottom, w }, ceiling, name, number) {
    const { times, series } = this.#history;
    const { last, width } = this.#range();
    const values = series[name];
    const x = (i) => w * (1 - (last - times[i]) / width);
    const y = (i) => bottom - ((bottom - top) * values[i]) / ceiling;
    const colour = css(this.#colours[number]);
    context.strokeStyle = colour;
    context.fillStyle = colour;
    context.lineWidth = 1.6;
    context.lineJoin = 'round';
    // A gap, as after a lost connection, is not bridged.
    for (let i = 0; i < values.length;) {
      if (values[i] === null) {
        ++i;
        continue;
      }
      const first = i;
      context.beginPath();
      context.moveTo(x(i), y(i));
      for (++i; i < values.length && values[i] !== null; ++i) context.lineTo(x(i), y(i));
      context.stroke();
      if (number > 0 || this.#names.length > 1) continue;
      context.lineTo(x(i - 1), bottom);
      context.lineTo(x(first), bottom);
      context.globalAlpha = 0.13;
      context.fill();
      context.globalAlpha = 1;
    }
  }

  #cross(context, { top, bottom, w }) {
    if (this.#point === null) return;
    const i = this.#indexAt(this.#point);
    if (i === null) return;
    const { last, width } = this.#range();
    const at = Math.round(w * (1 - (last - this.#history.times[i]) / width)) + 0.5;
    context.strokeStyle = css('--soft');
    context.lineWidth = 1;
    context.setLineDash([3, 3]);
    context.beginPath();
    context.moveTo(at, top);
    context.lineTo(at, bottom);
    context.stroke();
    context.setLineDash([]);
  }
}
