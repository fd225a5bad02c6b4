import { setTimeout as delay } from 'node:timers/promises';
import { StoreError, type FaultClass } from '@landline/store';

/** The first pause, in ms; each next one is twice as long. */
const FIRST_PAUSE_MS = 100;

/** The longest pause, in ms: how late it may be noticed that a server is back. */
const LONGEST_PAUSE_MS = 2_000;

/** How often work is tried again for each class of fault. What is away may be away for hours; another fault of the server may be ours. */
const TRIES: Readonly<Record<FaultClass, number>> = {
  conflict: 20,
  connection: Infinity,
  resources: Infinity,
  configuration: Infinity,
  timeout: 10,
  unknown: 10,
  data: 0,
  corruption: 0,
};

/** The code of the errors of Redis: packages/queue names it, and this package does not know that one. */
const REDIS_IS_AWAY = 'queue_unavailable';

/** How to wait. */
export interface RetryOptions {
  /** Ends the waiting. */
  signal: AbortSignal;
  /** Called with why the work waits, at each failure. */
  onAway?: (reason: string) => void;
}

/**
 * Runs `work`, again and again while a server that it asks is away.
 *
 * @throws  What `work` throws where waiting does not mend it; the signal's reason as soon as that is aborted.
 */
export async function retryWhileAway<T>(work: () => Promise<T>, { signal, onAway }: RetryOptions): Promise<T> {
  for (let tries = 0; ; tries++) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (tries >= triesFor(error)) throw error;
      onAway?.(reasonOf(error));
    }
    await pause(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(tries, 10)), signal);
  }
}

function triesFor(error: unknown): number {
  if (error instanceof StoreError) return TRIES[error.faultClass];
  return error instanceof Error && 'code' in error && error.code === REDIS_IS_AWAY ? Infinity : 0;
}

function reasonOf(error: unknown): string {
  const what = error instanceof StoreError ? 'Postgres' : 'Redis';
  return `Waits for ${what}: ${error instanceof Error ? error.message : String(error)}`;
}

/** Waits for so many ms. @throws the signal's reason as soon as it is aborted */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await delay(ms, undefined, { signal }).catch(() => undefined);
  signal.throwIfAborted();
}
