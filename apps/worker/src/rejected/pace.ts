import { setTimeout as delay } from 'node:timers/promises';

/** So many times as long as the work took the worker rests before the next: diagnoses take a tenth of its time at most. */
const REST_FACTOR = 9;

/** The longest rest, in ms. */
const LONGEST_REST_MS = 2000;

/** Lets one piece of work run at a time, and rests in between. */
export interface Pace {
  /**
   * Waits for the end of the rest, then runs `work`. What `work` reports to `spent` is the time that it took of the processor, in ms.
   *
   * @throws what `work` throws; the signal's reason when it is aborted before
   */
  run<T>(work: (spent: (ms: number) => void) => Promise<T>, signal: AbortSignal): Promise<T>;
}

/** Makes a pace. */
export function createPace(): Pace {
  let last: Promise<unknown> = Promise.resolve();
  let restUntil = 0;

  async function runNext<T>(work: (spent: (ms: number) => void) => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const restMs = restUntil - performance.now();
    if (restMs > 0) await delay(restMs, undefined, { signal });
    return work((ms) => (restUntil = performance.now() + Math.min(LONGEST_REST_MS, ms * REST_FACTOR)));
  }

  return {
    run(work, signal) {
      const turn = runAfter(last, () => runNext(work, signal));
      last = turn.catch(() => undefined);
      return turn;
    },
  };
}

async function runAfter<T>(earlier: Promise<unknown>, work: () => Promise<T>): Promise<T> {
  await earlier;
  return work();
}
