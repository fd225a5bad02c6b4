import { ProviderError } from '../errors.ts';
import { pause } from './pause.ts';
import { TransientError } from './transient-error.ts';

/** The longest of the growing pauses, in ms. */
const LONGEST_GROWN_MS = 30_000;

/** The longest pause that the provider may ask for, in ms. Who meets a longer one gives up, and asks again with the next run. */
export const LONGEST_ASKED_MS = 120_000;

/** How often, and after which pauses, a request is made again. */
export interface RetryOptions {
  tries: number;
  firstPauseMs: number;
}

/**
 * Makes an attempt, and makes it again after a pause where it throws a `TransientError`.
 *
 * @throws  ProviderError: the last attempt's; the reason of the signal as soon as that is aborted.
 */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions, signal: AbortSignal): Promise<T> {
  for (let failures = 0; ; failures++) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof TransientError)) throw error;
      const { fault, pauseMs = grownPause(options.firstPauseMs, failures) } = error;
      if (pauseMs > LONGEST_ASKED_MS) throw waitsTooLong(fault, pauseMs);
      if (failures >= options.tries) throw fault;
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
