import { setTimeout as delay } from 'node:timers/promises';
import type { JobsInHand } from './jobs-in-hand.ts';

/** How long before the time limit running jobs are asked to go back, in ms. */
const HAND_BACK_MARGIN_MS = 2000;

/** How long a consumer without jobs may take to stop, in ms; a lost Redis is no reason to wait. */
const IDLE_STOP_MS = 1000;

/** What `stopInTime` waits for, and for how long. */
export interface StopOptions {
  /** Begins to stop: takes no more jobs. Settles when no job runs. */
  stop: () => Promise<unknown>;
  jobs: Pick<JobsInHand, 'count' | 'handBackAll'>;
  /** The time limit, in ms. */
  timeoutMs: number;
}

/**
 * Stops, and resolves when no job runs or the time limit is over. Shortly before the limit it hands all jobs back. Never rejects,
 * unless `stop` throws at once.
 */
export async function stopInTime({ stop, jobs, timeoutMs }: StopOptions): Promise<void> {
  const stopped = stop();
  const marginMs = Math.min(HAND_BACK_MARGIN_MS, timeoutMs / 2);
  const isIdle = jobs.count() === 0;
  await settledWithin(stopped, isIdle ? Math.min(IDLE_STOP_MS, timeoutMs) : timeoutMs - marginMs);
  jobs.handBackAll();
  if (jobs.count() > 0) await settledWithin(stopped, marginMs);
}

/** Resolves when `promise` has settled, or after `timeoutMs`. */
async function settledWithin(promise: Promise<unknown>, timeoutMs: number): Promise<void> {
  const timer = new AbortController();
  const late = delay(timeoutMs, undefined, { signal: timer.signal }).catch(() => undefined);
  await Promise.race([promise.catch(() => undefined), late]);
  timer.abort();
}
