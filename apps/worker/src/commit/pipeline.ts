import type { Logger, Tracing } from '@landline/process';
import { DEAD_LETTER_QUEUE, WEBHOOK_QUEUE } from '@landline/queue';
import type { ApplicableEvent, ApplyOutcome, DeadEvent, Store } from '@landline/store';
import type { AfterCommit, Listener } from './after-commit.ts';
import { shareTransactions, type Commit } from './share-transactions.ts';
import { tracedApply, tracedRecordDead } from './transaction-span.ts';

/** All ways of the worker's events into Postgres. */
export interface Pipeline {
  /** Commits events; those of several callers that wait at the same time share a transaction. */
  commit: Commit;
  /** Commits the event of a dead letter, in a transaction of its own. */
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
  /** Undefined where nobody makes traces. */
  tracing?: Tracing | undefined;
}

/** Makes the pipeline: share a transaction, apply, then what follows a commit. */
export function createPipeline({ store, after, logger, tracing }: PipelineOptions): Pipeline {
  const committing = (apply: Commit): Commit =>
    async function commit(events: readonly ApplicableEvent[]): Promise<Map<string, ApplyOutcome>> {
      const outcomes = await apply(events);
      for (const listener of after.applied) void runListener(listener, { events, outcomes }, logger);
      return outcomes;
    };
  const applyFrom = (queue: string): Commit =>
    tracing ? tracedApply(store, tracing, queue) : (events) => store.apply(events);
  const recordDead: Store['recordDead'] = tracing
    ? tracedRecordDead(store, tracing)
    : (events) => store.recordDead(events);

  return {
    commit: shareTransactions(committing(applyFrom(WEBHOOK_QUEUE))),
    commitAlone: committing(applyFrom(DEAD_LETTER_QUEUE)),
    async recordDead(events) {
      const ids = await recordDead(events);
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
