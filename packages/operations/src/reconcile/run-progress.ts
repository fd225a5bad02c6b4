import type { Operation, OperationProgress } from '@landline/store';
import type { FetchOutcome } from './fetching.ts';

/** How many calls a run has seen through. */
export type RunCounts = Pick<OperationProgress, 'total' | 'done' | 'failed'>;

/** Counts the calls of which something was missing. */
export interface RunProgress {
  /** Counts calls that are to be fetched. */
  wanted(count: number): void;
  /** Counts a call that was to be fetched; not one that the provider was not asked for. */
  fetched(outcome: Pick<FetchOutcome, 'verdict' | 'isUnasked'>): void;
  /** @param complete  How many calls that the run has fetched are complete, as the tables have it: a worker that was killed may not have counted some. */
  counts(complete: number): RunCounts;
}

/** Begins to count. Whoever takes over looks again at the calls that the worker before could not fetch, so these are counted anew; what that one has fetched is not. */
export function createRunProgress(operation: Pick<Operation, 'done'>): RunProgress {
  let { done } = operation;
  let total = done;
  let failed = 0;
  return {
    wanted: (count) => void (total += count),
    fetched(outcome) {
      const failing = ['missing', 'without_recording', 'unfetchable'].includes(outcome.verdict);
      if (failing && outcome.isUnasked === true) return;
      if (failing) failed += 1;
      else done += 1;
    },
    counts(complete) {
      const uncounted = Math.max(0, complete - done);
      return { total: total + uncounted, done: done + uncounted, failed };
    },
  };
}
