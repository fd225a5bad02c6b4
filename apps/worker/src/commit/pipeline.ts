import type { Logger } from '@landline/process';
import type { ApplicableEvent, ApplyOutcome, DeadEvent, Store } from '@landline/store';
import type { AfterCommit, Listener } from './after-commit.ts';
import { shareTransactions, type Commit } from './share-transactions.ts';

/** All ways of the worker's events into Postgres. */
export interface Pipeline {
  /** Commits events; those of several callers that wait at the same time share a transaction. */
  commit: Commit;
  /** Commits events in a transaction of their own. */
  commitAlone: Commit;
  /** Records events as dead; returns the ledger ids of those that are dead now. @throws StoreError: nothing is recorded */
  recordDead(events: readonly DeadEvent[]): Promise<Set<string>>;
}

/** What the pipeline is made of. */
export interface PipelineOptions {
  store: Pick<Store, 'apply' | 'recordDead'>;
  /** What happens after each commit. */
  after: AfterCommit;
  logger: Logger;
}

/** Makes the pipeline: share a transaction, apply, then what follows a commit. */
export function createPipeline({ store, after, logger }: PipelineOptions): Pipeline {
  async function commitAlone(events: readonly ApplicableEvent[]): Promise<Map<string, ApplyOutcome>> {
    const outcomes = await store.apply(events);
    for (const listener of after.applied) void runListener(listener, { events, outcomes }, logger);
    return outcomes;
  }

  return {
    commit: shareTransactions(commitAlone),
    commitAlone,
    async recordDead(events) {
      const ids = await store.recordDead(events);
      for (const listener of after.recordedDead) void runListener(listener, { events, ids }, logger);
      return ids;
    },
  };
}

/** Runs a listener. Its events are committed, so its failure is logged and fails nothing; its message may quote an event. */
async function runListener<T>(listener: Listener<T>, committed: T, logger: Logger): Promise<void> {
  try {
    await listener(committed);
  } catch (error) {
    const fault = error instanceof Error ? error.name : typeof error;
    logger.error({ listener: listener.name, fault }, 'What follows a commit failed; the events are committed');
  }
}
