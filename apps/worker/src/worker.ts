import { cutoffsOf } from '@landline/operations';
import { addGauge, addQueueJobs, addCanaryAge, type Logger, type Tracing } from '@landline/process';
import {
  DEAD_LETTER_QUEUE,
  REJECTED_QUEUE,
  REQUESTS_QUEUE,
  wakeOperations,
  WEBHOOK_QUEUE,
  type QueueServers,
} from '@landline/queue';
import { afterCommit } from './commit/after-commit.ts';
import { createPipeline } from './commit/pipeline.ts';
import { createRecentCommits } from './commit/recent-commits.ts';
import { openConnections, type ConnectionOptions, type Connections } from './connections.ts';
import { watchBodyPartitions, type BodyPartitionWatch } from './database/body-partitions.ts';
import { createDatabaseGate, type DatabaseGate } from './database/database-gate.ts';
import { watchPostgres } from './database/watch-postgres.ts';
import { addDeadEvents } from './dead-letters/dead-events.ts';
import { restoreDeadLetters, type DeadLetterRestoring } from './dead-letters/restore-dead-letters.ts';
import { createOldShards } from './old-shards.ts';
import { createHealth, WEDGED_AFTER_MS, type Health } from './health.ts';
import { healthOfShards } from './health-of-shards.ts';
import { createMetrics, type WorkerMetrics } from './metrics.ts';
import { addRetentionAge } from './operations/retention-age.ts';
import type { RetentionSchedule } from './operations/retention-task.ts';
import { runOperations, type Operations } from './operations/run-operations.ts';
import { createConsumers, type Consumers } from './process/consumers.ts';
import type { ProviderSettings } from './reconcile/open-reconciling.ts';
import { addReconcileGauges } from './reconcile/reconcile-metrics.ts';
import { createPace } from './rejected/pace.ts';
import type { Diagnosing } from './rejected/process-rejected.ts';

/** How the worker is put together. */
export interface WorkerOptions extends ConnectionOptions {
  /** Jobs for one transaction. Three times as many are held: two transactions' are being applied, a third's fetched. */
  concurrency: number;
  /** RECORDINGS_URL, as the receivers have it: what is forgotten is removed there. By default none. */
  recordingsUrl?: string | undefined;
  /** What refused requests are diagnosed with; by default no secret is known. */
  diagnosing?: Diagnosing;
  /** How long things are kept; by default nobody deletes anything by its age. */
  retention?: RetentionSchedule;
  /** The provider's API; by default there is no key, and nobody compares anything. */
  provider?: ProviderSettings | undefined;
  logger: Logger;
  /** Undefined where nobody makes traces. */
  tracing?: Tracing | undefined;
  /** How long jobs may wait untouched before the worker counts as wedged, in milliseconds. */
  wedgedAfterMs?: number;
}

/** Takes jobs from the queues and applies them. */
export interface Worker {
  health: Health;
  metrics: WorkerMetrics;
  /** Begins to take jobs. The tables must be there. */
  start(): void;
  /** Takes no more, finishes or hands back what is in hand within `timeoutMs`, and closes every connection. */
  stop(limit: { timeoutMs: number }): Promise<void>;
}

const NO_SECRETS: Diagnosing = { secrets: [], toleranceSeconds: 0 };

/** Makes a worker; it takes nothing until `start`. */
export function createWorker(options: WorkerOptions): Worker {
  const { logger, tracing, diagnosing = NO_SECRETS } = options;
  const metrics = createMetrics({ hasProvider: options.provider !== undefined });
  const connections = openConnections(options, metrics);
  const { store, beats } = connections;
  const left = new AbortController();
  const passed = { count: 0 };
  const gate = createDatabaseGate(() => store.probe(), logger, {
    onChange: (isClosed) => consumers.setPaused(isClosed),
    passed: () => passed.count,
    left: left.signal,
  });
  const isWaiting = () => gate.isClosed();
  const commits = createRecentCommits();
  const after = afterCommit({ metrics, passed, commits, canaryMark: connections.canaryMark });
  const pipeline = createPipeline({ store, after, logger, tracing });
  const rejected = { diagnosing, store, pace: createPace() };
  const requests = { store, kinds: () => operations.kinds, wake: () => wakeOperations(serversOf(options)) };
  const consumers = createConsumers(options, { ...connections, pipeline, gate, logger, metrics, rejected, requests });
  const operations = runOperations({ ...operationsOf(options), ...connections, metrics });
  addGauges(metrics, { consumers, connections, gate, operations });
  const postgresWatch = watchPostgres({ store, beats, commits, isWaiting, logger, metrics });
  const oldShards = createOldShards(options, { consumers, connections });
  let consuming = false;
  let restoring: DeadLetterRestoring | undefined;
  let partitions: BodyPartitionWatch | undefined;
  const { wedgedAfterMs = WEDGED_AFTER_MS } = options;
  const judged = { store, isWaiting, isConsuming: () => consuming, now: Date.now, wedgedAfterMs };
  const [first, ...others] = consumers.shards;
  const healthOf = ({ events }: typeof first) => createHealth({ consumer: events, ...judged });
  return {
    metrics,
    health: healthOfShards([healthOf(first), ...others.map(healthOf)]),
    start() {
      consuming = true;
      connections.activity.start();
      consumers.start();
      const { deadLetters } = connections;
      oldShards.start(() => {
        const { check } = deadLetters;
        restoring = restoreDeadLetters({ store, deadLetters, check, logger, isWaiting, from: keptFrom(options) });
      });
      postgresWatch.start();
      partitions = watchBodyPartitions(store, logger);
      operations.start();
    },
    async stop(limit) {
      consuming = false;
      // First, so that another worker goes on with what runs here.
      const operationsLeft = operations.close(limit);
      await oldShards.stop();
      await Promise.all([consumers.close(limit), operationsLeft, restoring?.stop()]);
      await Promise.all([postgresWatch.stop(), partitions?.stop()]);
      left.abort();
      await connections.close();
    },
  };
}

interface Measured {
  consumers: Consumers;
  connections: Connections;
  gate: DatabaseGate;
  operations: Operations;
}

function serversOf({ redisUrl, redisCa, prefix, queueShards }: WorkerOptions): QueueServers {
  return { redisUrl, redisCa, prefix, queueShards };
}

function operationsOf(options: WorkerOptions) {
  const { databaseUrl, recordingsUrl, retention, provider, logger, diagnosing: accepting = NO_SECRETS } = options;
  return { ...serversOf(options), databaseUrl, recordingsUrl, retention, provider, logger, accepting };
}

/** Returns what tells from when on bodies are kept; undefined: all are. */
function keptFrom({ retention }: WorkerOptions): (() => number) | undefined {
  return retention && (() => cutoffsOf(retention.policy, Date.now()).bodies);
}

/** Adds the metrics that are read when they are asked for, and tells the console the same. */
function addGauges({ registry, fetched }: WorkerMetrics, { consumers, connections, gate, operations }: Measured): void {
  connections.activity.gauges(() => ({
    jobsInHand: consumers.inHand(),
    databaseOpen: Number(!gate.isClosed()),
    operationsRunning: operations.running().length,
  }));
  addCanaryAge(registry, connections.canaryMark);
  addQueueJobs(registry, () =>
    consumers.all().map(({ shard, events, deadLetters, rejected, requests }) => ({
      shard,
      counts: {
        [WEBHOOK_QUEUE]: () => events.counts(),
        [DEAD_LETTER_QUEUE]: () => deadLetters.counts(),
        [REJECTED_QUEUE]: () => rejected.counts(),
        [REQUESTS_QUEUE]: () => requests.counts(),
      },
    })),
  );
  addGauge(registry, {
    name: 'landline_database_waiting',
    help: 'Whether the worker waits for the database, and takes no jobs: 1 or 0.',
    read: () => Number(gate.isClosed()),
  });
  addGauge(registry, {
    name: 'landline_operations_running',
    help: 'Operations that run in this worker now.',
    read: () => operations.running().length,
  });
  addDeadEvents(registry, connections.store);
  addRetentionAge(registry, connections.store.retention);
  if (fetched !== undefined) addReconcileGauges(registry, connections.store.reconcile);
}
