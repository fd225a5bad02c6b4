import { setTimeout as sleep } from 'node:timers/promises';
import { StoreError, type ApplicableEvent, type ApplyOutcome, type Store } from '@landline/store';
import type { DatabaseGate } from '../database/database-gate.ts';
import { FAULT_POLICY } from '../fault-policy.ts';

/** How often a conflict with another transaction is tried again at once. */
const CONFLICT_TRIES = 5;
/** The longest rest before that, in milliseconds; by chance, so that the two do not meet again. */
const CONFLICT_REST_MS = 50;

/** What a group is applied with. */
export interface ApplyContext {
  store: Pick<Store, 'apply'>;
  gate: DatabaseGate;
  /** Which attempt of the job this is: 1 for the first. */
  attempt: number;
  /** Whether the job has no attempt left after this one. */
  lastAttempt: boolean;
  /** Aborted when the worker leaves. */
  signal: AbortSignal;
}

/** What became of a group: each event is in one of the first two, or waits for the job's next attempt. */
export interface GroupResult {
  /** Outcomes by ledger id. */
  outcomes: Map<string, ApplyOutcome>;
  /** The events that are themselves at fault. */
  faults: { event: ApplicableEvent; error: StoreError }[];
  /** Why some events are to be tried at the job's next attempt, when its others are duplicates. */
  later?: StoreError | undefined;
}

/**
 * Applies a group in one transaction; where an event may be at fault, halves the group until that event stands alone, so
 * that its neighbours are applied and it costs about 2 log₂ n transactions to find. For a fault that may pass, the first
 * attempt halves nothing: the whole job is simply tried again.
 *
 * @throws StoreError for a fault that the whole job should be retried for; HandBackError when the worker leaves.
 */
export async function applyGroup(events: readonly ApplicableEvent[], context: ApplyContext): Promise<GroupResult> {
  if (events.length === 0) return { outcomes: new Map(), faults: [] };
  try {
    return { outcomes: await patiently(() => context.store.apply(events), context), faults: [] };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const isFault = FAULT_POLICY[error.faultClass].action === 'isolate' || context.lastAttempt;
    if (!isFault && context.attempt === 1) throw error;
    const [event] = events;
    if (events.length === 1 && event) {
      return isFault
        ? { outcomes: new Map(), faults: [{ event, error }] }
        : { outcomes: new Map(), faults: [], later: error };
    }
  }
  const middle = Math.ceil(events.length / 2);
  const first = await applyGroup(events.slice(0, middle), context);
  const second = await applyGroup(events.slice(middle), context);
  return {
    outcomes: new Map([...first.outcomes, ...second.outcomes]),
    faults: [...first.faults, ...second.faults],
    later: first.later ?? second.later,
  };
}

/**
 * Runs `work` until it succeeds or fails for a cause that neither a moment nor the database's return mends. Unless the event is at
 * fault for certain, the database is asked: where it could not do our work either, or could not when this began, that is an outage
 * and costs no attempt; unless the job fails alone, again and again, though others get through.
 */
export async function patiently<T>(
  work: () => Promise<T>,
  { gate, signal }: Pick<ApplyContext, 'gate' | 'signal'>,
): Promise<T> {
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
