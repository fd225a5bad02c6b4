import { StoreError, type ApplicableEvent, type ApplyOutcome } from '@landline/store';
import type { Commit } from '../commit/share-transactions.ts';
import { retryWhileUnavailable, type RetryContext } from '../database/retry-while-unavailable.ts';
import { FAULT_POLICY } from '../fault-policy.ts';

/** What a group is applied with. */
export interface ApplyContext extends RetryContext {
  commit: Commit;
  /** Which attempt of the job this is: 1 for the first. */
  attempt: number;
  /** Whether the job has no attempt left after this one. */
  lastAttempt: boolean;
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
    return { outcomes: await retryWhileUnavailable(() => context.commit(events), context), faults: [] };
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
