import { pause } from './retry-while-away.ts';

/** How far a pace may be behind and make up for it, in ms: what a page took to read is made up, an outage is not. */
const MOST_BEHIND_MS = 500;

/** Keeps work at a rate. */
export interface Pace {
  /** Resolves when so many more may be done. @throws the signal's reason as soon as it is aborted */
  take(count: number, signal: AbortSignal): Promise<void>;
}

/**
 * Makes a pace. Work waits first and is done afterwards, so a worker that takes over begins with a wait, and the rate holds over restarts.
 *
 * @param rate  A second; null: no limit.
 */
export function createPace(rate: number | null): Pace {
  let nextAt = performance.now();
  return {
    async take(count, signal) {
      if (rate === null) return;
      const now = performance.now();
      nextAt = Math.max(nextAt, now - MOST_BEHIND_MS) + (count / rate) * 1000;
      if (nextAt > now) await pause(nextAt - now, signal);
    },
  };
}
