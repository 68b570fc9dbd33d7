// The stream of events, read with fetch since EventSource cannot show a token. Comes back by itself:
// after 1 s, 2 s, ... 15 s, at once when the network or the page comes back.

const kSilence = 5000; // there is an event each second
const kLongest = 15_000;
const kSettled = 5000; // a stream that lasted so long and was ended may be asked for at once
const kLongestEvent = 4 * 1024 * 1024;

export class Live {
  #headers;
  #on;
  #attempt = 0;
  #stop = null; // of the attempt under way
  #timer = 0;

  // `headers`: called for each attempt. `on`: event(name, data), lost(waitMs, why), refused(status).
  constructor(headers, on) {
    this.#headers = headers;
    this.#on = on;
    window.addEventListener('online', () => this.#hurry());
    document.addEventListener('visibilitychange', () => !document.hidden && this.#hurry());
  }

  async start() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#stop?.abort();
    const stop = new AbortController();
    this.#stop = stop;
    let why = 'it ended the connection';
    const begun = Date.now();
    try {
      await this.#read(stop);
      // As at the start of a drain: the next one tells of it.
      if (this.#stop === stop && Date.now() - begun > kSettled) return void this.start();
    } catch (error) {
      if (error.status === 401 || error.status === 403) {
        if (this.#stop === stop) this.#on.refused(error);
        return;
      }
      // What fetch says of a broken connection is the browser's own jargon.
      why = error instanceof TypeError ? 'nothing answers' : error.message;
    }
    if (this.#stop === stop) this.#again(why);
  }

  #again(why) {
    const wait = Math.min(kLongest, 1000 * 2 ** this.#attempt) * (0.8 + 0.4 * Math.random());
    ++this.#attempt;
    this.#on.lost(wait, why);
    this.#timer = setTimeout(() => this.start(), wait);
  }

  #hurry() {
    if (this.#timer !== 0) this.start();
  }

  async #read(stop) {
    const giveUp = () => stop.abort(new Error('it has gone silent'));
    let silence = setTimeout(giveUp, kSilence);
    try {
      const answer = await fetch('/api/live', {
        headers: this.#headers(),
        signal: stop.signal,
        cache: 'no-store',
      });
      if (!answer.ok) {
        const { error } = await answer.json().catch(() => ({}));
        throw Object.assign(new Error(error ?? `it answered ${answer.status}`), {
          status: answer.status,
        });
      }
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = '';
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        clearTimeout(silence);
        silence = setTimeout(giveUp, kSilence);
        text = this.#take(text + value);
        if (text.length > kLongestEvent) throw new Error('an event without an end');
      }
    } finally {
      clearTimeout(silence);
      stop.abort();
    }
  }

  // Handles the events that are complete; returns what is left.
  #take(text) {
    const events = text.split('\n\n');
    const rest = events.pop();
    for (const event of events) {
      const lines = event.split('\n');
      const name = lines.find((line) => line.startsWith('event: '))?.slice(7);
      const data = lines.find((line) => line.startsWith('data: '))?.slice(6);
      if (!name || data === undefined) continue;
      this.#attempt = 0;
      this.#on.event(name, JSON.parse(data));
    }
    return rest;
  }
}
