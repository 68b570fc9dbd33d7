// Waiting with a deadline. Tests never sleep to synchronise: they wait for an event and fail when it does not come.

// FAIRLEAD_E2E_PATIENCE multiplies every deadline: a slow machine, valgrind.
const patience = Number(process.env.FAIRLEAD_E2E_PATIENCE ?? 1);

export const kDeadline = 10_000 * patience;

// The promise's value, or an error that names what did not happen.
export async function within(promise, what, ms = kDeadline) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`not within ${ms} ms: ${typeof what === 'function' ? what() : what}`)),
      ms,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

// Something that changes and can be waited for: until(p) settles as soon as p() gives something truthy after a
// touch(); what p throws is thrown.
export class Changes {
  #waiting = new Set();

  touch() {
    for (const check of [...this.#waiting]) check();
  }

  until(predicate, what, ms = kDeadline) {
    let check;
    const met = new Promise((resolve, reject) => {
      check = () => {
        try {
          const value = predicate();
          if (!value) return;
          resolve(value);
        } catch (error) {
          reject(error);
        }
        this.#waiting.delete(check); // the predicate may take what it finds: never ask it again
      };
      this.#waiting.add(check);
      check();
    });
    return within(met, what, ms).finally(() => this.#waiting.delete(check));
  }
}

// Calls the async `attempt` again until it gives something truthy: for what no event announces.
export async function eventually(attempt, what, ms = kDeadline) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await attempt();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

// For what must not happen there is no event to wait for: some turns of both event loops are given instead.
export const moment = (ms = 150) => new Promise((resolve) => setTimeout(resolve, ms));
