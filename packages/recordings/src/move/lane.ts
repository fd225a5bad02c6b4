import { setTimeout as delay } from 'node:timers/promises';
import { createTurns } from '../spool/turns.ts';
import { retryPauseMs } from './retry-pause.ts';

/** Runs work of one kind: few at once, and after a failure one at a time with growing pauses, until one succeeds. */
export interface Lane {
  /** Resolves with the work's result. @throws the work's error; an AbortError when the lane was closed before */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Whether work would wait now, perhaps for hours. */
  isHeldUp(): boolean;
}

/** Makes a lane of so many at once. */
export function createLane(atOnce: number, closing: AbortSignal): Lane {
  const turns = createTurns(atOnce);
  const trials = createTurns(1);
  let failures = 0;

  async function attempt<T>(work: () => Promise<T>): Promise<T> {
    closing.throwIfAborted();
    const before = failures;
    try {
      const result = await work();
      failures = 0;
      return result;
    } catch (error) {
      // Those that fail together count once.
      failures = Math.max(failures, before + 1);
      throw error;
    }
  }

  async function attemptAlone<T>(work: () => Promise<T>): Promise<T> {
    const giveBack = await trials.take();
    try {
      // Another may have succeeded meanwhile.
      if (failures > 0) await delay(retryPauseMs(failures), undefined, { signal: closing });
      return await attempt(work);
    } finally {
      giveBack();
    }
  }

  return {
    isHeldUp: () => failures > 0 || turns.areTaken(),
    async run(work) {
      const giveBack = await turns.take();
      try {
        return await (failures > 0 ? attemptAlone(work) : attempt(work));
      } finally {
        giveBack();
      }
    },
  };
}
