import { ProviderError } from '../errors.ts';
import { pause } from './pause.ts';
import { TransientError } from './transient-error.ts';

/** The longest of the growing pauses, in ms. */
const LONGEST_GROWN_MS = 30_000;

/** The longest pause that the provider may ask for, in ms. Who meets a longer one gives up, and asks again with the next run. */
export const LONGEST_ASKED_MS = 120_000;

/** After so long it is told that a request waits, in ms: most are answered within one second. */
const TOLD_AFTER_MS = 2_000;

/** How often, after which pauses and for how long a request is made again. */
export interface RetryOptions {
  tries: number;
  firstPauseMs: number;
  /** No pause ends later than so long after the first attempt began, in ms. */
  patienceMs: number;
  /** Called once for each request that takes longer than two seconds. */
  onWait?: (() => void) | undefined;
}

/**
 * Makes an attempt, and makes it again after a pause where it throws a `TransientError`.
 *
 * @throws  ProviderError: the last attempt's; the reason of the signal as soon as that is aborted.
 */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions, signal: AbortSignal): Promise<T> {
  const told = options.onWait && setTimeout(options.onWait, TOLD_AFTER_MS);
  try {
    return await retryOn(attempt, options, signal);
  } finally {
    clearTimeout(told);
  }
}

async function retryOn<T>(attempt: () => Promise<T>, options: RetryOptions, signal: AbortSignal): Promise<T> {
  const { tries, firstPauseMs, patienceMs } = options;
  const endsAt = performance.now() + patienceMs;
  for (let failures = 0; ; failures++) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof TransientError)) throw error;
      const { fault, pauseMs: asked } = error;
      const pauseMs = asked ?? grownPause(firstPauseMs, failures);
      const isTooLate = performance.now() + pauseMs > endsAt;
      if (asked !== undefined && (asked > LONGEST_ASKED_MS || isTooLate)) throw waitsTooLong(fault, asked);
      if (failures >= tries || isTooLate) throw fault;
      await pause(pauseMs, signal);
    }
  }
}

/** Doubles the pause with each failure. The random part keeps processes that fail together from coming back together. */
function grownPause(firstPauseMs: number, failures: number): number {
  return Math.min(firstPauseMs * 2 ** failures, LONGEST_GROWN_MS) * (0.75 + Math.random() / 2);
}

function waitsTooLong(fault: ProviderError, pauseMs: number): ProviderError {
  const until = new Date(Math.min(Date.now() + pauseMs, 8.64e15)).toISOString();
  const message = `${fault.message} It asks to wait until ${until}: try again then.`;
  return new ProviderError(fault.code, message, { status: fault.status, cause: fault });
}
