import type { Task } from '@landline/queue';
import { policyWords, type Engine, type RetentionPolicy } from '@landline/operations';
import type { RetentionStore } from '@landline/store';

/** How often retention runs, in ms: an hour. What an account orders to be deleted is deleted so late at most. */
const EVERY_MS = 3_600_000;

/** The share of that time which must have passed since the run before: of several shards, each has a tick of its own. */
const LEAST_SHARE = 0.9;

/** What recurs. */
export interface RetentionSchedule {
  policy: RetentionPolicy;
  /** Only tests need another one. */
  everyMs?: number | undefined;
}

/** What the task works with. */
export interface RetentionTaskOptions extends RetentionSchedule {
  store: Pick<RetentionStore, 'requestRun'>;
  engine: Pick<Engine, 'runDue'>;
}

/** Makes the task that asks for a run of retention, and runs it. The database lets one tick have one run. */
export function retentionTask({ policy, everyMs = EVERY_MS, store, engine }: RetentionTaskOptions): Task {
  return {
    everyMs,
    async run(signal) {
      if (await store.requestRun(policyWords(policy), everyMs * LEAST_SHARE)) await engine.runDue(signal);
    },
  };
}
