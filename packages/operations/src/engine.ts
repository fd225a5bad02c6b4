import type { Operation, OperationProgress, OperationStore } from '@landline/store';
import { OperationStoppedError } from './errors.ts';
import { keepLease, LEASE_MS } from './lease.ts';
import { loggableReason } from './loggable-reason.ts';
import type { OperationContext, OperationKind } from './operation-kind.ts';
import { retryWhileAway } from './retry-while-away.ts';

/** The longest message that is kept, in characters. */
const MOST_CHARACTERS = 1_000;

/** How an operation of this worker went on. `released`: this worker leaves; `lost`: another worker has it. */
export const OPERATION_EVENTS = ['started', 'done', 'cancelled', 'failed', 'released', 'lost'] as const;

/** One of `OPERATION_EVENTS`. */
export type OperationEvent = (typeof OPERATION_EVENTS)[number];

/** What an engine runs. */
export interface EngineOptions {
  store: OperationStore;
  kinds: readonly OperationKind[];
  /** Called when an operation starts here, and when it ends here. `reason`: why it failed, as a log may have it; null for every other event. */
  onEvent?: (event: OperationEvent, operation: Operation, reason: string | null) => void;
}

/** Runs operations. */
export interface Engine {
  /**
   * Claims what is due and runs it: of each kind one at a time, over all workers. Resolves when nothing is due any more; a kind that runs in
   * this process already is left alone.
   *
   * @param signal  Aborted when the worker leaves.
   * @param only    The kinds to look for; by default all.
   * @throws        StoreError where Postgres does not say what is due.
   */
  runDue(signal: AbortSignal, only?: readonly string[]): Promise<void>;
  /** The kinds that run in this process now. */
  running(): readonly string[];
}

/** Makes an engine. It does nothing until `runDue`. */
export function createEngine(options: EngineOptions): Engine {
  const { store, kinds } = options;
  const running = new Set<string>();

  async function runKind(kind: OperationKind, signal: AbortSignal): Promise<void> {
    if (running.has(kind.kind)) return;
    running.add(kind.kind);
    try {
      while (!signal.aborted) {
        // oxlint-disable-next-line no-await-in-loop -- one operation after the other
        const operation = await store.claim(kind.kind, LEASE_MS, kind);
        if (operation === undefined) return;
        // oxlint-disable-next-line no-await-in-loop -- one operation after the other
        await runOperation(kind, operation, { ...options, leaving: signal });
      }
    } finally {
      running.delete(kind.kind);
    }
  }

  return {
    async runDue(signal, only) {
      const wanted = only === undefined ? kinds : kinds.filter(({ kind }) => only.includes(kind));
      const ends = await Promise.allSettled(wanted.map((kind) => runKind(kind, signal)));
      const failed = ends.find((end) => end.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    },
    running: () => [...running],
  };
}

interface RunOptions extends EngineOptions {
  leaving: AbortSignal;
}

/** Runs an operation that was claimed, and writes what became of it. Never rejects. */
async function runOperation(kind: OperationKind, operation: Operation, options: RunOptions): Promise<void> {
  const { store, onEvent, leaving } = options;
  const stop = new AbortController();
  const leave = () => stop.abort(new OperationStoppedError('leaving'));
  leaving.addEventListener('abort', leave, { once: true });
  if (leaving.aborted) leave();
  let progress = progressOf(operation);
  const report = (change: Partial<OperationProgress>) => void (progress = { ...progress, ...change });
  const lease = keepLease({ store, operation, progress: () => progress, stop });
  onEvent?.('started', operation, null);
  let ended: Ended;
  try {
    await kind.run(contextOf({ operation, lease, stop, progress: () => progress, report }));
    ended = { event: 'done', message: progress.message, reason: null };
  } catch (error) {
    ended = endOf(error, stop.signal, progress);
  } finally {
    leaving.removeEventListener('abort', leave);
    await lease.end();
  }
  const end = { store, leaving, operation, progress: { ...progress, message: ended.message } };
  const isOurs = await writeEnd(end, ended.event);
  onEvent?.(isOurs ? ended.event : 'lost', operation, isOurs ? ended.reason : null);
}

function progressOf({ total, done, failed, checkpoint }: Operation): OperationProgress {
  // What a kind has checkpointed came out of the same column, so it is JSON.
  return { total, done, failed, message: null, checkpoint: JSON.parse(JSON.stringify(checkpoint ?? null)) };
}

interface ContextParts extends Pick<OperationContext, 'operation' | 'progress' | 'report'> {
  lease: Pick<OperationContext, 'hold' | 'written'>;
  stop: AbortController;
}

function contextOf({ operation, lease, stop, progress, report }: ContextParts): OperationContext {
  const { signal } = stop;
  return {
    operation,
    signal,
    progress,
    report,
    hold: () => lease.hold(),
    written: () => lease.written(),
    async retry(work) {
      let waited: string | undefined;
      const before = progress().message;
      const result = await retryWhileAway(work, {
        signal,
        onAway(reason) {
          waited = storable(reason);
          report({ message: waited });
        },
      });
      if (waited !== undefined && progress().message === waited) report({ message: before });
      return result;
    },
  };
}

interface Ended {
  event: Exclude<OperationEvent, 'started'>;
  message: string | null;
  reason: string | null;
}

function endOf(error: unknown, signal: AbortSignal, { message }: OperationProgress): Ended {
  const reason: unknown = signal.aborted ? signal.reason : error;
  if (!(reason instanceof OperationStoppedError)) {
    const why = error instanceof Error ? error.message : String(error);
    return { event: 'failed', message: storable(why), reason: storable(loggableReason(error)) };
  }
  if (reason.code === 'cancelled') return { event: 'cancelled', message, reason: null };
  return { event: reason.code === 'leaving' ? 'released' : 'lost', message, reason: null };
}

interface EndOptions extends Pick<RunOptions, 'store' | 'leaving'> {
  operation: Operation;
  progress: OperationProgress;
}

/**
 * Writes the end, however long Postgres is away; a worker that leaves tries once. What is not written is done again by another worker.
 *
 * @returns  Whether the operation was this worker's to end.
 */
async function writeEnd(
  { store, leaving, operation: { id, fence }, progress }: EndOptions,
  event: Ended['event'],
): Promise<boolean> {
  if (event === 'lost') return false;
  const write = async () => {
    if (event !== 'released') return store.finish({ id, fence }, progress, event);
    await store.release({ id, fence }, progress);
    return true;
  };
  const written = leaving.aborted ? write() : retryWhileAway(write, { signal: leaving });
  return written.catch(() => false);
}

/** A message may quote whatever an event holds. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd').slice(0, MOST_CHARACTERS).toWellFormed();
}
