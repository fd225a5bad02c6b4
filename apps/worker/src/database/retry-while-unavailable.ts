import { setTimeout as sleep } from 'node:timers/promises';
import { StoreError } from '@landline/store';
import { FAULT_POLICY } from '../fault-policy.ts';
import type { DatabaseGate } from './database-gate.ts';

/** How often a conflict with another transaction is tried again at once. */
const CONFLICT_TRIES = 5;
/** The longest rest before that, in milliseconds; by chance, so that the two do not meet again. */
const CONFLICT_REST_MS = 50;

/** What work is tried again with. */
export interface RetryContext {
  gate: DatabaseGate;
  /** Aborted when the worker leaves. */
  signal: AbortSignal;
}

/**
 * Runs `work` until it succeeds or fails for a cause that neither a moment nor the database's return mends. Unless the event is at
 * fault for certain, the database is asked: where it could not do our work either, or could not when this began, that is an outage
 * and costs no attempt; unless the job fails alone, again and again, though others get through.
 */
export async function retryWhileUnavailable<T>(work: () => Promise<T>, { gate, signal }: RetryContext): Promise<T> {
  let conflicts = 0;
  for (let pauses = 0; ;) {
    const begunInOutage = gate.isClosed();
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      const { action } = FAULT_POLICY[error.faultClass];
      if (action === 'isolate') throw error;
      const isOutage = action === 'pause' || begunInOutage || gate.isClosed() || !(await gate.answers());
      if (isOutage || (action === 'again' && conflicts >= CONFLICT_TRIES)) {
        await gate.wait(error, pauses++, signal);
      } else if (action === 'again') {
        conflicts++;
        await sleep(Math.random() * CONFLICT_REST_MS);
      } else throw error;
    }
  }
}
