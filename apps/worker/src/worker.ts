import { addGauge, addQueueJobs, canaryAge, type Logger } from '@landline/process';
import {
  createCanaryMark,
  createConsumer,
  createDeadLetters,
  createLetterCheck,
  DEAD_LETTER_QUEUE,
  openPostgresBeats,
  WEBHOOK_QUEUE,
  type JobFailure,
} from '@landline/queue';
import { createStore, type StoreOptions } from '@landline/store';
import { afterCommit } from './commit/after-commit.ts';
import { createPipeline } from './commit/pipeline.ts';
import { createRecentCommits } from './commit/recent-commits.ts';
import { MAX_TRANSACTIONS } from './commit/share-transactions.ts';
import { countFailures } from './database/count-failures.ts';
import { createDatabaseGate, type DatabaseGate } from './database/database-gate.ts';
import { watchPostgres } from './database/watch-postgres.ts';
import { addDeadEvents } from './dead-letters/dead-events.ts';
import { restoreDeadLetters, type DeadLetterRestoring } from './dead-letters/restore-dead-letters.ts';
import { createHealth, WEDGED_AFTER_MS, type Health } from './health.ts';
import { createMetrics, type WorkerMetrics } from './metrics.ts';
import { processDeadLetter } from './process/process-dead-letter.ts';
import { processEvents, type WorkContext } from './process/process-events.ts';
import { reportFailure } from './process/report-failure.ts';

/** How the worker is put together. */
export interface WorkerOptions {
  databaseUrl: string;
  redisUrl: string;
  /** Jobs for one transaction. Three times as many are held: two transactions' are being applied, a third's fetched. */
  concurrency: number;
  logger: Logger;
  /** How long jobs may wait untouched before the worker counts as wedged, in milliseconds. */
  wedgedAfterMs?: number;
  /** Limits of a statement, where the store's own do not fit. */
  limits?: Pick<StoreOptions, 'statementTimeoutMs' | 'lockTimeoutMs'>;
}

/** Takes jobs from both queues and applies them. */
export interface Worker {
  health: Health;
  metrics: WorkerMetrics;
  /** Begins to take jobs. The tables must be there. */
  start(): void;
  /** Takes no more, finishes or hands back what is in hand within `timeoutMs`, and closes every connection. */
  stop(limit: { timeoutMs: number }): Promise<void>;
}

/** Dead letters that are tried at once, each in a transaction of its own: enough for thousands to end in minutes, few beside the events. */
const DEAD_LETTER_CONCURRENCY = 4;
/** Connections beside those of the transactions: for the gate's probe, the readiness check and the beat, and to read and count the dead. */
const SPARE_CONNECTIONS = 4;

/** Makes a worker; it takes nothing until `start`. */
export function createWorker(options: WorkerOptions): Worker {
  const { logger } = options;
  const metrics = createMetrics();
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
  const pipeline = createPipeline({ store, after, logger });
  const consumers = createConsumers(options, { ...connections, pipeline, gate, logger, metrics });
  addGauges(metrics, { consumers, connections, gate });
  const postgresWatch = watchPostgres({ store, beats, commits, isWaiting, logger, metrics });
  let consuming = false;
  let restoring: DeadLetterRestoring | undefined;
  return {
    metrics,
    health: createHealth({
      consumer: consumers.events,
      store,
      isWaiting,
      isConsuming: () => consuming,
      now: Date.now,
      wedgedAfterMs: options.wedgedAfterMs ?? WEDGED_AFTER_MS,
    }),
    start() {
      consuming = true;
      consumers.start();
      restoring = restoreDeadLetters({ ...connections, logger, isWaiting });
      postgresWatch.start();
    },
    async stop(limit) {
      consuming = false;
      await Promise.all([consumers.close(limit), restoring?.stop()]);
      await postgresWatch.stop();
      left.abort();
      await connections.close();
    },
  };
}

type Connections = ReturnType<typeof openConnections>;

/** Opens what the worker speaks to Redis and Postgres with, beside the queues' consumers. */
function openConnections({ databaseUrl, redisUrl, limits }: WorkerOptions, metrics: WorkerMetrics) {
  const poolSize = MAX_TRANSACTIONS + DEAD_LETTER_CONCURRENCY + SPARE_CONNECTIONS;
  const store = countFailures(createStore({ databaseUrl, poolSize, ...limits }), metrics);
  const deadLetters = createDeadLetters({ redisUrl });
  const check = createLetterCheck({ redisUrl });
  const canaryMark = createCanaryMark({ redisUrl });
  const beats = openPostgresBeats({ redisUrl });
  return {
    store,
    deadLetters,
    check,
    canaryMark,
    beats,
    async close() {
      await Promise.all([deadLetters.close(), beats.close(), store.close()]);
      canaryMark.close();
      check.close();
    },
  };
}

type Consumers = ReturnType<typeof createConsumers>;

/** Makes the consumers of both queues. */
function createConsumers({ redisUrl, concurrency }: WorkerOptions, context: WorkContext) {
  const { logger, metrics } = context;
  const onError = (error: Error) => {
    metrics.redisErrors.inc();
    logger.error(`Redis: ${error.message}`);
  };
  const events = createConsumer({
    redisUrl,
    queue: WEBHOOK_QUEUE,
    // While transactions are under way, the next one fills.
    concurrency: concurrency * (MAX_TRANSACTIONS + 1),
    process: (job, signal) => processEvents(job, signal, context),
    onError,
    onFailed: (failure: JobFailure) => reportFailure(failure, { logger, metrics }),
  });
  const deadLetters = createConsumer({
    redisUrl,
    queue: DEAD_LETTER_QUEUE,
    concurrency: DEAD_LETTER_CONCURRENCY,
    process: (job, signal) => processDeadLetter(job, signal, context),
    onError,
  });
  const both = [events, deadLetters];
  return {
    events,
    deadLetters,
    start: () => both.forEach((consumer) => consumer.start()),
    setPaused: (isPaused: boolean) => both.forEach((consumer) => (isPaused ? consumer.pause() : consumer.resume())),
    close: (limit: { timeoutMs: number }) => Promise.all(both.map((consumer) => consumer.close(limit))),
  };
}

interface Measured {
  consumers: Consumers;
  connections: Connections;
  gate: DatabaseGate;
}

/** Adds the metrics that are read when they are asked for. */
function addGauges({ registry }: WorkerMetrics, { consumers, connections, gate }: Measured): void {
  canaryAge(registry, connections.canaryMark);
  addQueueJobs(registry, {
    [WEBHOOK_QUEUE]: () => consumers.events.counts(),
    [DEAD_LETTER_QUEUE]: () => consumers.deadLetters.counts(),
  });
  addGauge(registry, {
    name: 'landline_database_waiting',
    help: 'Whether the worker waits for the database, and takes no jobs: 1 or 0.',
    read: () => Number(gate.isClosed()),
  });
  addDeadEvents(registry, connections.store);
}
