import { setTimeout as delay } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import { reportChanges } from '../redis/report-changes.ts';

/** Jobs that are moved by one script: Redis does nothing else meanwhile. */
const BATCH_JOBS = 200;

/** How long to rest after an error of Redis, in ms. */
const REST_MS = 1000;

/** A state in which jobs rest that may be tried again. */
export type RestingState = 'failed' | 'completed';

/** What a retry of all jobs reports. */
export interface RetryAllOptions {
  /** Called when all jobs that rested in a state wait again. */
  onDone?: (moved: { queue: string; state: RestingState }) => void;
  /** Called once for an outage of Redis. The retry goes on when Redis is back. */
  onError?: (error: Error) => void;
}

/** Retries all jobs that rest in a queue. */
export interface RetryAll {
  /**
   * Begins to move all jobs that rest in `state` now to `waiting`, in the background and in batches. A job that fails again meanwhile
   * stays. Begins nothing where such a move is under way.
   *
   * @returns  How many jobs rest in `state`; rejects when Redis does not answer.
   */
  start(queue: Queue<unknown>, state: RestingState): Promise<number>;
  /** Begins no more batches; resolves when none is under way. */
  close(): Promise<void>;
}

/** Makes a retry of all jobs; it waits for the end of an outage. */
export function createRetryAll({ onDone, onError }: RetryAllOptions = {}): RetryAll {
  const underWay = new Map<string, Promise<void>>();
  const closing = new AbortController();

  async function moveAll(queue: Queue<unknown>, state: RestingState): Promise<void> {
    const backend = queue.getBackend();
    const before = Date.now();
    const errors = reportChanges((error) => onError?.(error));
    for (let isMore = true; isMore && !closing.signal.aborted;) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- batch after batch
        isMore = (await backend.retryFinishedJobs(state, BATCH_JOBS, before)) > 0;
      } catch (error) {
        errors.report(error);
        // oxlint-disable-next-line no-await-in-loop -- until Redis is back
        await delay(REST_MS, undefined, { signal: closing.signal }).catch(() => undefined);
      }
    }
    if (!closing.signal.aborted) onDone?.({ queue: queue.name, state });
  }

  return {
    async start(queue, state) {
      const name = queue.toKey(state);
      const resting = await queue.getJobCountByTypes(state);
      if (!underWay.has(name) && !closing.signal.aborted) {
        underWay.set(
          name,
          moveAll(queue, state).finally(() => underWay.delete(name)),
        );
      }
      return resting;
    },
    async close() {
      closing.abort();
      await Promise.all(underWay.values());
    },
  };
}
