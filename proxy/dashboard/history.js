// The last ten minutes of ticks as series for the charts; never more.

const kMost = 600;
const kGap = 3500; // ms without a tick: a gap in the lines

const sum = (counts) => Object.values(counts ?? {}).reduce((all, n) => all + n, 0);

// What a second's tick counts up, from Fairlead's start.
const kCounters = {
  messages_in: (totals) => totals.messages_in,
  messages_out: (totals) => totals.messages_out,
  bytes_in: (totals) => totals.bytes_in,
  bytes_out: (totals) => totals.bytes_out,
  handshakes: (totals) => totals.handshakes,
  http: (totals) => totals.http_requests,
  refused: (totals) => totals.refused && sum(totals.refused),
  closed: (totals) => totals.closes && sum(totals.closes),
};

const kGauges = {
  sessions: (tick) => tick.status.sessions,
  rtt50: (tick) => tick.totals.rtt_ms?.p50,
  rtt90: (tick) => tick.totals.rtt_ms?.p90,
  rtt99: (tick) => tick.totals.rtt_ms?.p99,
};

const numberOrNull = (value) => (Number.isFinite(value) ? value : null);

export class History {
  times = [];
  series = Object.fromEntries(
    [...Object.keys(kCounters), ...Object.keys(kGauges)].map((name) => [name, []]),
  );
  #before = null;

  add(tick) {
    const before = this.#before;
    this.#before = tick;
    if (before && tick.at <= before.at) this.#forgetFrom(tick.at); // a clock was set back
    const followed =
      before &&
      before.status.pid === tick.status.pid &&
      tick.at - before.at < kGap &&
      tick.at > before.at;
    if (before && !followed && this.times.length > 0) this.#push(tick.at - 1, () => null);
    const seconds = followed ? (tick.at - before.at) / 1000 : 0;
    this.#push(tick.at, (name) => {
      if (kGauges[name]) return numberOrNull(kGauges[name](tick));
      if (!followed) return null;
      const grown = kCounters[name](tick.totals) - kCounters[name](before.totals);
      return numberOrNull(grown < 0 ? null : grown / seconds);
    });
  }

  // The newest value, or one further back.
  value(name, index = this.times.length - 1) {
    return this.series[name][index] ?? NaN;
  }

  #push(at, valueOf) {
    this.times.push(at);
    for (const [name, values] of Object.entries(this.series)) values.push(valueOf(name));
    if (this.times.length <= kMost) return;
    this.times.shift();
    for (const values of Object.values(this.series)) values.shift();
  }

  #forgetFrom(at) {
    let keep = this.times.length;
    while (keep > 0 && this.times[keep - 1] >= at) --keep;
    this.times.length = keep;
    for (const values of Object.values(this.series)) values.length = keep;
  }
}
