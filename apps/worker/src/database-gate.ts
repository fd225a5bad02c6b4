import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@landline/process';
import { HandBackError } from '@landline/queue';
import type { StoreError } from '@landline/store';
import { FAULT_POLICY } from './fault-policy.ts';

/** The first pause before the database is asked again, in milliseconds; each next one is twice as long. */
const FIRST_PAUSE_MS = 100;
/** The longest pause, in milliseconds: how late the worker may notice that the database is back. */
const LONGEST_PAUSE_MS = 5_000;

/** Holds the jobs in hand while the database is away. Their locks are kept, so nobody else takes them. */
export interface DatabaseGate {
  /**
   * Resolves when the database answers again.
   *
   * @param error   Why it is believed to be away.
   * @param tries   How often in a row this has failed though the database answered: each makes the pause longer.
   * @param signal  Aborted when the worker leaves.
   * @throws        HandBackError when the worker leaves first.
   */
  wait(error: StoreError, tries: number, signal: AbortSignal): Promise<void>;
  /** Whether the database answers a plain question now. */
  answers(): Promise<boolean>;
  /** Whether a job waits here. */
  isClosed(): boolean;
}

/**
 * Makes the gate.
 *
 * @param probe  Resolves when the database answers.
 */
export function createDatabaseGate(probe: () => Promise<void>, logger: Logger): DatabaseGate {
  let waiting = 0;
  return {
    isClosed: () => waiting > 0,
    answers: () =>
      probe().then(
        () => true,
        () => false,
      ),
    async wait(error, tries, signal) {
      waiting++;
      if (waiting === 1) logPause(logger, error);
      try {
        await untilAnswered(probe, tries, signal);
      } finally {
        waiting--;
        if (waiting === 0 && !signal.aborted) logger.info('The database answers; going on');
      }
    },
  };
}

async function untilAnswered(probe: () => Promise<void>, tries: number, signal: AbortSignal): Promise<void> {
  for (let pause = tries; ; pause++) {
    await rest(pauseMs(pause), signal);
    try {
      await probe();
      return;
    } catch {
      // Still away: the pause grows, and the log has said so once.
    }
  }
}

/** Up to a fifth longer by chance, so that many workers do not come back in the same instant. */
function pauseMs(pause: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(pause, 10)) * (1 + Math.random() / 5);
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    throw new HandBackError('The worker stops while the database is away.', { cause: error });
  }
}

function logPause(logger: Logger, { code, faultClass }: StoreError): void {
  const level = FAULT_POLICY[faultClass].alarm ? 'error' : 'warn';
  logger[level]({ code, faultClass }, 'Waiting for the database; events stay in Redis and no attempt is spent');
}
