// The last ten minutes of ticks as series for the charts; never more.

const kMost = 600;
const kRecent = 60_000; // ms
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

// `rtt`: round trips of the last minute, or of all where they are not told in buckets.
const kGauges = {
  sessions: (tick) => tick.status.sessions,
  rtt50: (tick, rtt) => rtt?.p50,
  rtt90: (tick, rtt) => rtt?.p90,
  rtt99: (tick, rtt) => rtt?.p99,
};

const numberOrNull = (value) => (Number.isFinite(value) ? value : null);

// [upper bound, count] pairs, the last without a bound: where the share `q` of all ends.
function quantile(buckets, q) {
  let left = q * buckets.reduce((all, [, n]) => all + n, 0);
  if (left === 0) return null;
  for (let i = 0; i < buckets.length; ++i) {
    const [bound, n] = buckets[i];
    const below = i === 0 ? 0 : buckets[i - 1][0];
    if (left <= n) return bound === null ? below : below + ((bound - below) * left) / n;
    left -= n;
  }
  return null;
}

// The round trips of the last minute, out of counts since the start.
class Recent {
  #ticks = []; // { at, buckets }, a minute's

  clear() {
    this.#ticks = [];
  }

  of({ at, totals }) {
    const buckets = totals.rtt_ms?.buckets;
    if (!Array.isArray(buckets)) return totals.rtt_ms;
    this.#ticks.push({ at, buckets });
    while (at - this.#ticks[0].at > kRecent) this.#ticks.shift();
    const before = this.#ticks[0].buckets;
    const grown = buckets.map(([bound, n], i) => [bound, n - (before[i]?.[1] ?? 0)]);
    return { p50: quantile(grown, 0.5), p90: quantile(grown, 0.9), p99: quantile(grown, 0.99) };
  }
}

export class History {
  times = [];
  series = Object.fromEntries(
    [...Object.keys(kCounters), ...Object.keys(kGauges)].map((name) => [name, []]),
  );
  #before = null;
  #recent = new Recent();

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
    if (!followed) this.#recent.clear();
    const rtt = this.#recent.of(tick);
    const seconds = followed ? (tick.at - before.at) / 1000 : 0;
    this.#push(tick.at, (name) => {
      if (kGauges[name]) return numberOrNull(kGauges[name](tick, rtt));
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
