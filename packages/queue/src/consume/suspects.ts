import { setTimeout as delay } from 'node:timers/promises';

/** After so many deaths of its workers a job may be their cause. */
const SUSPECT_AFTER = 2;

/** A suspect waits for a random time up to this, in ms, so that the order of suspects differs each time. */
const LONGEST_REST_MS = 2000;

/** Lets jobs that may have killed their workers run one at a time. */
export interface Suspects {
  /**
   * Runs a job's work: at once, or, when the job's workers died several times, alone among such jobs and in a random order. So jobs
   * whose workers died of another job are done before that job's turn comes, and no longer count deaths.
   */
  run<T>(job: { stalledCounter: number }, work: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

/** Makes an empty queue of suspects. With a `longestRestMs` of 0 they run in the order of the calls. */
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
