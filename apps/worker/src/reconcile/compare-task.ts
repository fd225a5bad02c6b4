import { FETCH_CONVERSATION, RECONCILE, reconcileWords, type Engine } from '@landline/operations';
import type { Task } from '@landline/queue';
import type { OperationStore, ReconcileStore } from '@landline/store';

/** What only a worker with a key can do. */
const KINDS = [RECONCILE, FETCH_CONVERSATION];

/** How often a worker comes for what is due, in ms: well within the minute after which a worker without a key says why it cannot be done. */
const COME_MS = 15_000;

/** How often it comes at least within the interval, so that a comparison is hardly late. */
const COMES = 4;

/** How long before a worker's start another one may have asked for a run that failed, so that this one need not, in ms: ten workers that start together make one. */
const START_LEAST_MS = 60_000;

/** How many operations are looked at for the newest run. */
const LOOKED_AT = 50;

/** What the task works with. */
export interface CompareTaskOptions {
  /** RECONCILE_INTERVAL_MINUTES, in ms. */
  everyMs: number;
  store: { reconcile: Pick<ReconcileStore, 'requestRun'>; operations: Pick<OperationStore, 'list'> };
  engine: Pick<Engine, 'runDue'>;
}

/**
 * Makes the task of a worker with a key: asks for a comparison with the provider where the newest is older than the interval, and runs that and what somebody asked
 * for. The database sees to it that one interval has one run, however many workers come. At a worker's start one that failed counts as old: what was mended by the
 * restart shows at once.
 */
export function compareTask({ everyMs, store, engine }: CompareTaskOptions): Task {
  let isStarting = true;

  async function leastMs(): Promise<number> {
    if (!isStarting) return everyMs;
    const newest = (await store.operations.list(LOOKED_AT)).find(({ kind }) => kind === RECONCILE);
    return newest?.status === 'failed' ? Math.min(everyMs, START_LEAST_MS) : everyMs;
  }

  return {
    everyMs: Math.min(everyMs / COMES, COME_MS),
    async run(signal) {
      await store.reconcile.requestRun(reconcileWords(), await leastMs());
      isStarting = false;
      await engine.runDue(signal, KINDS);
    },
  };
}
