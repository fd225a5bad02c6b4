import { StoreError, type Operation, type OperationProgress, type OperationStore } from '@landline/store';
import { OperationStoppedError } from './errors.ts';
import { pause } from './retry-while-away.ts';

/** How long an operation stays with a worker that shows no life, in ms. */
export const LEASE_MS = 10_000;

/** How often progress is written and it is asked whether to stop, in ms: both are to happen within a second. */
const BEAT_MS = 250;

/** How much of a lease must be left before work that a second worker must not do at the same time, in ms. */
const LEAST_LEFT_MS = 4_000;

/** How often it is tried again to reach Postgres, in ms. */
const RETRY_MS = 500;

/** What a lease is kept with. */
export interface LeaseOptions {
  store: Pick<OperationStore, 'keep'>;
  operation: Operation;
  /** What is written at each beat. */
  progress: () => OperationProgress;
  /** Aborted by the lease, with an `OperationStoppedError`. */
  stop: AbortController;
}

/** A worker's hold on an operation. */
export interface LeaseKeeper {
  /** Resolves when the lease lasts for some seconds more. @throws the reason of `stop` */
  hold(): Promise<void>;
  /** Resolves when the progress as it is now is written. @throws the reason of `stop` */
  written(): Promise<void>;
  /** Writes progress no more; resolves when nothing is under way. */
  end(): Promise<void>;
}

/**
 * Keeps an operation by writing its progress again and again. The database decides whether it is this worker's still: while Postgres is away
 * nobody else can claim it, and a worker that was frozen learns at its next beat that another one has it.
 */
export function keepLease({ store, operation, progress, stop }: LeaseOptions): LeaseKeeper {
  const { id, fence } = operation;
  const ending = new AbortController();
  /** When the last beat that succeeded began: the lease counts from later on. */
  let keptAt = performance.now();
  let beating: Promise<void> | undefined;

  async function beatOnce(): Promise<void> {
    const startedAt = performance.now();
    const keeping = await store.keep({ id, fence }, progress(), LEASE_MS);
    if (keeping === 'lost') stop.abort(new OperationStoppedError('lost'));
    else keptAt = startedAt;
    if (keeping === 'cancelled') stop.abort(new OperationStoppedError('cancelled'));
  }

  /** One at a time: an older progress must not be written over a newer one. @throws StoreError */
  function beat(): Promise<void> {
    beating ??= beatOnce().finally(() => (beating = undefined));
    return beating;
  }

  async function beatOn(): Promise<void> {
    while (!ending.signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- one beat after the other
      await pause(BEAT_MS, ending.signal).catch(() => undefined);
      // Postgres is away; the next beat tries again.
      // oxlint-disable-next-line no-await-in-loop -- one beat after the other
      if (!ending.signal.aborted) await beat().catch(() => undefined);
    }
  }

  const beats = beatOn();
  return {
    async hold() {
      stop.signal.throwIfAborted();
      while (performance.now() > keptAt + LEASE_MS - LEAST_LEFT_MS) {
        // oxlint-disable-next-line no-await-in-loop -- until it is known
        await untilKnown(beat, stop.signal);
      }
    },
    async written() {
      stop.signal.throwIfAborted();
      // One that is under way may have an older progress.
      await beating?.catch(() => undefined);
      await untilKnown(beat, stop.signal);
    },
    async end() {
      ending.abort();
      await beats;
      await beating?.catch(() => undefined);
    },
  };
}

function onlyStoreErrors(error: unknown): false {
  if (error instanceof StoreError) return false;
  throw error;
}

/** Beats until Postgres has answered. @throws the signal's reason */
async function untilKnown(beat: () => Promise<void>, signal: AbortSignal): Promise<void> {
  // oxlint-disable no-await-in-loop -- until it is known
  for (;;) {
    const isKnown = await beat().then(() => true, onlyStoreErrors);
    signal.throwIfAborted();
    if (isKnown) return;
    await pause(RETRY_MS, signal);
  }
  // oxlint-enable no-await-in-loop
}
