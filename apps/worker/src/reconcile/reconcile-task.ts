import type { Task } from '@landline/queue';
import { RECONCILE, reconcileWords, type Engine } from '@landline/operations';
import type { OperationStore, ReconcileStore } from '@landline/store';

/** The share of the interval which must have passed since the run before: of several shards, each has a tick of its own. */
const LEAST_SHARE = 0.9;

/** How long before a worker's start another one may have asked for a run that failed, so that this one need not, in ms: ten workers that start together make one. */
const START_LEAST_MS = 60_000;

/** How many operations are looked at for the newest run. */
const LOOKED_AT = 50;

/** How soon a run is asked for again that the database did not take, in ms. */
const RETRY_MS = 5_000;

/** What the task works with. */
export interface ReconcileTaskOptions {
  /** RECONCILE_INTERVAL_MINUTES, in ms. */
  everyMs: number;
  store: Pick<ReconcileStore, 'requestRun'>;
  engine: Pick<Engine, 'runDue'>;
}

/** Makes the task that asks for a comparison with the provider, and runs it. The database lets one tick have one run. */
export function reconcileTask({ everyMs, store, engine }: ReconcileTaskOptions): Task {
  return {
    everyMs,
    async run(signal) {
      if (await store.requestRun(reconcileWords(), everyMs * LEAST_SHARE)) await engine.runDue(signal);
    },
  };
}

/** See `requestAtStart`. */
export interface StartRequest {
  /** Resolves when nothing is asked any more. */
  stop(): Promise<void>;
}

/** What is asked at a worker's start. */
export interface StartOptions {
  /** RECONCILE_INTERVAL_MINUTES, in ms. */
  everyMs: number;
  store: { reconcile: Pick<ReconcileStore, 'requestRun'>; operations: Pick<OperationStore, 'list'> };
  wake: () => Promise<void>;
  retryMs?: number;
}

/**
 * Asks for a comparison at a worker's start, until the database has taken it. A schedule that is older than the worker would let it wait for its tick. Where the newest
 * run is younger than the interval, the tick will do, unless it failed: what was mended by the restart shows at once. So workers that come and go make no more runs.
 */
export function requestAtStart({ everyMs, store, wake, retryMs = RETRY_MS }: StartOptions): StartRequest {
  let timer: NodeJS.Timeout | undefined;
  let hasStopped = false;
  let asking = ask();

  function askAgain(): void {
    asking = ask();
  }

  async function ask(): Promise<void> {
    try {
      const newest = (await store.operations.list(LOOKED_AT)).find(({ kind }) => kind === RECONCILE);
      const leastMs = newest?.status === 'failed' ? START_LEAST_MS : everyMs * LEAST_SHARE;
      // A worker looks by itself every few seconds, so a Redis that is away is no fault.
      if (await store.reconcile.requestRun(reconcileWords(), leastMs)) await wake().catch(() => undefined);
    } catch {
      if (!hasStopped) timer = setTimeout(askAgain, retryMs).unref();
    }
  }

  return {
    async stop() {
      hasStopped = true;
      clearTimeout(timer);
      await asking;
    },
  };
}
