import { StoreError } from '@landline/store';
import { timedOut } from './faults.ts';

/** How long a question may take until it is answered 504, in ms. */
export const DEADLINE_MS = 4_000;

/** Rejects with the fault of a question that ran out of time, once a signal says so; `found` tells what was found until then, or another message. */
export async function inTime<T>(
  work: Promise<T>,
  signal: AbortSignal,
  found: () => object | undefined = () => undefined,
): Promise<T> {
  // It may fail long after nobody waits for it.
  work.catch(() => undefined);
  const answered = new AbortController();
  try {
    return await Promise.race([work, aborted(signal, answered.signal)]);
  } catch (error) {
    const isLate = error === LATE || (error instanceof StoreError && error.faultClass === 'timeout');
    throw isLate ? timedOut(found()) : error;
  } finally {
    answered.abort();
  }
}

const LATE = new Error('The time is over.');

/** Rejects when `signal` is aborted; forgets it when `answered` is. */
function aborted(signal: AbortSignal, answered: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(LATE);
    signal.addEventListener('abort', () => reject(LATE), { once: true, signal: answered });
  });
}
