import type { Logger } from '@landline/process';
import {
  createTaskConsumer,
  forgetJobs,
  OPERATIONS_TASK,
  openTrackedJobs,
  shardPlaces,
  type DeadLetters,
  type QueueServers,
  type Task,
} from '@landline/queue';
import {
  codeOfFold,
  createEngine,
  eraseKind,
  openRemover,
  readmitKind,
  rebuildKind,
  replayKind,
  retentionKind,
  tidyRebuilds,
  type Engine,
  type ErasePorts,
  type ReplayLetters,
  type RetentionPorts,
} from '@landline/operations';
import { openRebuilds, type Store } from '@landline/store';
import type { WorkerMetrics } from '../metrics.ts';
import { bodyPartitionsTask } from '../database/body-partitions.ts';
import { letterOf } from '../dead-letters/letter-of.ts';
import type { Diagnosing } from '../rejected/process-rejected.ts';
import { RECORDINGS_TASK, recordingsTask } from './recordings-to-remove.ts';
import { retentionTask, type RetentionSchedule } from './retention-task.ts';

/** How often it is looked for operations that nobody was woken for, in ms: how late one goes on whose worker was killed. */
const LOOK_MS = 5_000;

/** How often rebuilt tables are dropped that nobody swaps any more, in ms. */
const TIDY_MS = 600_000;

/** What operations are run with. */
export interface OperationsOptions extends QueueServers {
  databaseUrl: string;
  store: Pick<Store, 'operations' | 'readDead' | 'makeBodyPartitions'> &
    ErasePorts['store'] &
    RetentionPorts['store'] &
    Pick<Store, 'recordingsToRemove' | 'rejectedPage' | 'markReadmitted'>;
  /** What readmitted requests are verified with. */
  accepting: Diagnosing;
  deadLetters: Pick<DeadLetters, 'remove' | 'add' | 'sweep'>;
  /** RECORDINGS_URL; undefined: none. */
  recordingsUrl?: string | undefined;
  /** Undefined: retention runs only when somebody asks for it. */
  retention?: RetentionSchedule | undefined;
  logger: Logger;
  metrics: Pick<WorkerMetrics, 'operations' | 'redisErrors'>;
}

/** Runs operations, and what recurs. */
export interface Operations {
  /** The kinds that run in this process now. */
  running(): readonly string[];
  start(): void;
  /** Leaves the operation that runs to another worker, and ends within `timeoutMs`. */
  close(limit: { timeoutMs: number }): Promise<void>;
}

/** Makes the operations of this worker. On each shard a schedule wakes one worker of all; Postgres says which of them runs what. */
export function runOperations(options: OperationsOptions): Operations {
  const {
    databaseUrl,
    store,
    accepting,
    deadLetters,
    recordingsUrl = '',
    retention,
    logger,
    metrics,
    ...servers
  } = options;
  const queue = openTrackedJobs(servers);
  const letters = lettersOf(store, deadLetters);
  const storage = openRemover(recordingsUrl);
  const removing = { recordings: store.recordingsToRemove, storage };
  const erasing: ErasePorts = {
    ...removing,
    store,
    forgetJobs: (decide, signal) => forgetJobs({ servers, decide, signal }),
  };
  // It connects with the first rebuild, or when it is time to tidy.
  const rebuilds = openRebuilds({ databaseUrl });
  const rebuilding = { rebuilds, code: codeOfFold };
  const engine = createEngine({
    store: store.operations,
    kinds: [
      replayKind({ ledger: store.ledger, queue, letters }),
      readmitKind({ rejected: store, queue, accepting }),
      eraseKind(erasing),
      rebuildKind(rebuilding),
      retentionKind({ store, letters: deadLetters, storage }),
    ],
    onEvent(event, { id, kind }, message) {
      metrics.operations.inc({ kind, event });
      // The message may quote an event.
      logger[event === 'failed' ? 'error' : 'info'](
        { operation: id, kind, event, hasMessage: message !== null },
        TEXTS[event],
      );
    },
  });
  const consumers = shardPlaces(servers).map((place) =>
    createTaskConsumer({
      ...place,
      tasks: {
        [OPERATIONS_TASK]: operationsTask(engine),
        'body-partitions': bodyPartitionsTask(store, logger),
        [RECORDINGS_TASK]: recordingsTask(removing, logger),
        ...(retention !== undefined && { retention: retentionTask({ ...retention, store: store.retention, engine }) }),
        'old-rebuilds': { everyMs: TIDY_MS, run: (signal) => tidyRebuilds(store.operations, rebuilding, signal) },
      },
      onError(error) {
        metrics.redisErrors.inc();
        logger.error(`Operations: ${error.message}`);
      },
    }),
  );
  return {
    running: () => engine.running(),
    start: () => consumers.forEach((consumer) => consumer.start()),
    async close(limit) {
      await Promise.all(consumers.map((consumer) => consumer.close(limit)));
      await Promise.all([queue.close(), rebuilds.close()]);
      storage.close();
    },
  };
}

const TEXTS = {
  started: 'An operation starts, or goes on',
  done: 'An operation is done',
  cancelled: 'An operation was cancelled',
  failed: 'An operation failed: see npm run landline -- operations show',
  released: 'An operation is left to another worker',
  lost: 'Another worker has taken an operation over',
} as const;

function operationsTask(engine: Engine): Task {
  return { everyMs: LOOK_MS, run: (signal) => engine.runDue(signal) };
}

function lettersOf(store: Pick<Store, 'readDead'>, deadLetters: Pick<DeadLetters, 'remove' | 'add'>): ReplayLetters {
  return {
    remove: (ids) => deadLetters.remove(ids),
    async renew(ids) {
      // A letter that a worker has just now stays: it will say the same.
      await deadLetters.remove(ids);
      await deadLetters.add((await store.readDead(ids)).flatMap(letterOf));
    },
  };
}
