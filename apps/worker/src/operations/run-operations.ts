import { createTaskConsumer, OPERATIONS_TASK, shardPlaces, type QueueServers, type Task } from '@landline/queue';
import { createEngine, type Engine } from '@landline/operations';
import type { Store } from '@landline/store';
import type { WorkerMetrics } from '../metrics.ts';
import { bodyPartitionsTask } from '../database/body-partitions.ts';
import { byOwnClock } from '../reconcile/by-own-clock.ts';
import { compareTask } from '../reconcile/compare-task.ts';
import { openKinds, type KindsOptions } from './open-kinds.ts';
import { retentionTask, type RetentionSchedule } from './retention-task.ts';

/** How often it is looked for operations that nobody was woken for, in ms: how late one goes on whose worker was killed. */
const LOOK_MS = 5_000;

/** What operations are run with. */
export interface OperationsOptions extends QueueServers, Omit<KindsOptions, 'servers' | 'onFetched'> {
  store: KindsOptions['store'] & Pick<Store, 'makeBodyPartitions'>;
  /** Undefined: retention runs only when somebody asks for it. */
  retention?: RetentionSchedule | undefined;
  metrics: Pick<WorkerMetrics, 'operations' | 'redisErrors' | 'fetched' | 'missedWebhooks'>;
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

/**
 * Makes the operations of this worker. On each shard a schedule wakes one worker of all; Postgres says which of them runs what. What only workers with the provider's
 * key can do has no schedule: they come for it by themselves.
 */
export function runOperations(options: OperationsOptions): Operations {
  const { store, retention, provider, logger, metrics } = options;
  const servers = serversOf(options);
  const opened = openKinds({
    ...options,
    servers,
    onFetched({ calls, missed }) {
      metrics.fetched?.inc(calls);
      metrics.missedWebhooks?.inc(missed);
    },
  });
  const engine = createEngine({
    store: store.operations,
    kinds: opened.kinds,
    onEvent(event, { id, kind }, reason) {
      metrics.operations.inc({ kind, event });
      const facts = { operation: id, kind, event };
      if (event !== 'failed') return logger.info(facts, TEXTS[event]);
      logger.error(facts, `An operation failed (${kind}), see npm run landline -- operations show ${id}: ${reason}`);
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
  const clock = byOwnClock(
    [
      ...(provider ? [compareTask({ everyMs: provider.everyMs, store, engine })] : []),
      ...(opened.look ? [opened.look] : []),
    ],
    logger,
  );
  return {
    running: () => engine.running(),
    kinds: opened.kinds.map(({ kind }) => kind),
    start() {
      opened.start();
      consumers.forEach((consumer) => consumer.start());
      clock.start();
    },
    async close(limit) {
      await Promise.all([clock.close(limit), opened.leave(), ...consumers.map((consumer) => consumer.close(limit))]);
      await opened.close();
    },
  };
}

const TEXTS = {
  started: 'An operation starts, or goes on',
  done: 'An operation is done',
  cancelled: 'An operation was cancelled',
  released: 'An operation is left to another worker',
  lost: 'Another worker has taken an operation over',
} as const;

function operationsTask(engine: Engine): Task {
  return { everyMs: LOOK_MS, run: (signal) => engine.runDue(signal) };
}

function serversOf({ redisUrl, redisCa, prefix, queueShards }: QueueServers): QueueServers {
  return { redisUrl, redisCa, prefix, queueShards };
}
