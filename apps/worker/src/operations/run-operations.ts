import { createTaskConsumer, OPERATIONS_TASK, shardPlaces, type QueueServers, type Task } from '@landline/queue';
import { createEngine, type Engine } from '@landline/operations';
import type { Store } from '@landline/store';
import type { WorkerMetrics } from '../metrics.ts';
import { bodyPartitionsTask } from '../database/body-partitions.ts';
import { openKinds, type KindsOptions } from './open-kinds.ts';
import { retentionTask, type RetentionSchedule } from './retention-task.ts';

/** How often it is looked for operations that nobody was woken for, in ms: how late one goes on whose worker was killed. */
const LOOK_MS = 5_000;

/** What operations are run with. */
export interface OperationsOptions extends QueueServers, Omit<KindsOptions, 'servers'> {
  store: KindsOptions['store'] & Pick<Store, 'makeBodyPartitions'>;
  /** Undefined: retention runs only when somebody asks for it. */
  retention?: RetentionSchedule | undefined;
  metrics: Pick<WorkerMetrics, 'operations' | 'redisErrors'>;
}

/** Runs operations, and what recurs. */
export interface Operations {
  /** The kinds that run in this process now. */
  running(): readonly string[];
  /** All kinds that this worker runs. */
  readonly kinds: readonly string[];
  start(): void;
  /** Leaves the operation that runs to another worker, and ends within `timeoutMs`. */
  close(limit: { timeoutMs: number }): Promise<void>;
}

/** Makes the operations of this worker. On each shard a schedule wakes one worker of all; Postgres says which of them runs what. */
export function runOperations(options: OperationsOptions): Operations {
  const { store, deadLetters, accepting, databaseUrl, recordingsUrl, retention, logger, metrics, ...servers } = options;
  const opened = openKinds({ databaseUrl, store, accepting, deadLetters, recordingsUrl, servers, logger });
  const engine = createEngine({
    store: store.operations,
    kinds: opened.kinds,
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
        ...(retention !== undefined && { retention: retentionTask({ ...retention, store: store.retention, engine }) }),
        ...opened.tasks,
      },
      onError(error) {
        metrics.redisErrors.inc();
        logger.error(`Operations: ${error.message}`);
      },
    }),
  );
  return {
    running: () => engine.running(),
    kinds: opened.kinds.map(({ kind }) => kind),
    start: () => consumers.forEach((consumer) => consumer.start()),
    async close(limit) {
      await Promise.all(consumers.map((consumer) => consumer.close(limit)));
      await opened.close();
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
