import { StoreError } from '@landline/store';
import type { OperationContext } from '../operation-kind.ts';
import { pause } from '../retry-while-away.ts';

/** Postgres says so of a lock that others hold, and of two that wait for each other. */
const IN_USE: readonly string[] = ['55P03', '40P01'];

/** How long others have the tables for themselves between two attempts, in ms. */
const REST_MS = 500;

/**
 * Runs `work`, which needs a lock of tables in use, until it gets it: each attempt waits for a second at most, because all others wait behind one that waits.
 *
 * @throws  As `context.retry`.
 */
export async function retryWhileInUse<T>(
  { retry, report, progress, signal }: Pick<OperationContext, 'retry' | 'report' | 'progress' | 'signal'>,
  work: () => Promise<T>,
): Promise<T> {
  const before = progress().message;
  for (;;) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- until it has the lock
      const result = await retry(() => work().catch(asValue));
      if (result !== IN_USE_NOW) return result;
    } finally {
      if (progress().message !== before) report({ message: before });
    }
    report({ message: 'Waits for a moment in which nobody else has the tables.' });
    // oxlint-disable-next-line no-await-in-loop -- until it has the lock
    await pause(REST_MS, signal);
  }
}

const IN_USE_NOW = Symbol('in use');

function asValue(error: unknown): typeof IN_USE_NOW {
  if (error instanceof StoreError && IN_USE.includes(error.code)) return IN_USE_NOW;
  throw error;
}
