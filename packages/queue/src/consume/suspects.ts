import { setTimeout as delay } from 'node:timers/promises';

/** Deaths of its workers after which a job may be their cause. */
const SUSPECT_AFTER = 2;

/** A suspect rests by chance for up to this long, in ms, so that it is not always the same one that goes first. */
const LONGEST_REST_MS = 2000;

/** Lets jobs that may have killed their workers run one at a time. */
export interface Suspects {
  /**
   * Runs a job's work: at once, unless its workers have died several times; then alone among such jobs and in an order of chance. So those
   * that were only in the same hands are done before the one that kills comes to its turn, and their count of deaths ends.
   */
  run<T>(job: { stalledCounter: number }, work: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

/** Makes it; `longestRestMs` of 0 keeps the order. */
export function createSuspects(longestRestMs = LONGEST_REST_MS): Suspects {
  let last: Promise<unknown> = Promise.resolve();

  return {
    async run({ stalledCounter }, work, signal) {
      if (stalledCounter < SUSPECT_AFTER) return work();
      await delay(Math.random() * longestRestMs, undefined, { signal }).catch(() => undefined);
      const turn = last.then(work);
      last = turn.catch(() => undefined);
      return turn;
    },
  };
}
