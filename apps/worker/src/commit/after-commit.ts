import type { CanaryMark } from '@landline/queue';
import type { ApplicableEvent, ApplyOutcome, DeadEvent } from '@landline/store';
import type { WorkerMetrics } from '../metrics.ts';
import { noteCanaries } from './note-canaries.ts';
import type { RecentCommits } from './recent-commits.ts';

/** One transaction that was committed. */
export interface Committed {
  /** As they were handed over: several may have one ledger id. */
  events: readonly ApplicableEvent[];
  /** By ledger id. */
  outcomes: ReadonlyMap<string, ApplyOutcome>;
}

/** One transaction that recorded dead events. */
export interface RecordedDead {
  events: readonly DeadEvent[];
  /** The ledger ids of those that are dead now. */
  ids: ReadonlySet<string>;
}

/** Something that follows a commit. No event waits for it, and none fails with it: the pipeline logs its failure under its name. */
export type Listener<T> = (committed: T) => void | Promise<void>;

/** What follows each commit, in this order. */
export interface AfterCommit {
  applied: readonly Listener<Committed>[];
  recordedDead: readonly Listener<RecordedDead>[];
}

/** What the listeners write to. */
export interface AfterCommitContext {
  metrics: Pick<WorkerMetrics, 'transactionEvents'>;
  /** How many transactions have applied events since the worker began. */
  passed: { count: number };
  commits: Pick<RecentCommits, 'add'>;
  canaryMark: Pick<CanaryMark, 'note'>;
}

/**
 * Says what happens after a commit: all of it is in these two lists. What a job reports of its own events, once each of them has an outcome,
 * stands in processEvents.
 */
export function afterCommit({ metrics, passed, commits, canaryMark }: AfterCommitContext): AfterCommit {
  return {
    applied: [observeSize, countPassed, rememberCommit, noteNewestCanary],
    recordedDead: [rememberCommit],
  };

  function observeSize({ events }: Committed): void {
    metrics.transactionEvents.observe(events.length);
  }

  /** By this count the database gate knows that others get through. */
  function countPassed(): void {
    passed.count++;
  }

  /** The watch of Postgres asks for these after a failover. */
  function rememberCommit({ events }: Pick<Committed | RecordedDead, 'events'>): void {
    commits.add(events);
  }

  function noteNewestCanary({ events }: Committed): Promise<void> {
    return noteCanaries(events, canaryMark);
  }
}
