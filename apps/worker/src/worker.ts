import { addGauge, addQueueJobs, addCanaryAge, type Logger } from '@landline/process';
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
import { createStore, type ApplicableEvent, type DeadEvent, type StoreOptions } from '@landline/store';
import { createDatabaseGate } from './database-gate.ts';
import { addDeadEvents } from './dead-events.ts';
import { createHealth, WEDGED_AFTER_MS, type Health } from './health.ts';
import { layDeadLetters, type Laying } from './lay-dead-letters.ts';
import { measureStore } from './measure-store.ts';
import { createMetrics, type WorkerMetrics } from './metrics.ts';
import { noteCanaries } from './note-canaries.ts';
import { processDeadLetter } from './process-dead-letter.ts';
import { processEvents } from './process-events.ts';
import { createRecentCommits } from './recent-commits.ts';
import { reportFailure } from './report-failure.ts';
import { MAX_TRANSACTIONS, shareTransactions } from './share-transactions.ts';
import { watchPostgres } from './watch-postgres.ts';

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
  const { databaseUrl, redisUrl, concurrency, logger } = options;
  const poolSize = MAX_TRANSACTIONS + DEAD_LETTER_CONCURRENCY + SPARE_CONNECTIONS;
  const metrics = createMetrics();
  const store = measureStore(createStore({ databaseUrl, poolSize, ...options.limits }), metrics);
  const deadLetters = createDeadLetters({ redisUrl });
  const letterCheck = createLetterCheck({ redisUrl });
  let passed = 0;
  const left = new AbortController();
  const gate = createDatabaseGate(() => store.probe(), logger, {
    onChange(isClosed) {
      for (const consumer of [events, letters]) {
        if (isClosed) consumer.pause();
        else consumer.resume();
      }
    },
    passed: () => passed,
    left: left.signal,
  });
  const canaryMark = createCanaryMark({ redisUrl });
  addCanaryAge(metrics.registry, canaryMark);
  const commits = createRecentCommits();
  const counted = {
    ...store,
    async apply(applicable: readonly ApplicableEvent[]) {
      const outcomes = await store.apply(applicable);
      passed++;
      commits.add(applicable);
      return outcomes;
    },
    async recordDead(events: readonly DeadEvent[]) {
      const dead = await store.recordDead(events);
      commits.add(events);
      return dead;
    },
  };
  const context = { store: counted, gate, deadLetters, logger, metrics };
  const shared = { ...context, store: { ...counted, ...shareTransactions(noteCanaries(counted, canaryMark)) } };
  const onError = (error: Error) => {
    metrics.redisErrors.inc();
    logger.error(`Redis: ${error.message}`);
  };
  const onFailed = (failure: JobFailure) => reportFailure(failure, { logger, metrics });
  const events = createConsumer({
    redisUrl,
    queue: WEBHOOK_QUEUE,
    // While transactions are under way, the next one fills.
    concurrency: concurrency * (MAX_TRANSACTIONS + 1),
    process: (job, signal) => processEvents(job, signal, shared),
    onError,
    onFailed,
  });
  const letters = createConsumer({
    redisUrl,
    queue: DEAD_LETTER_QUEUE,
    concurrency: DEAD_LETTER_CONCURRENCY,
    process: (job, signal) => processDeadLetter(job, signal, context),
    onError,
  });
  addQueueJobs(metrics.registry, {
    [WEBHOOK_QUEUE]: () => events.counts(),
    [DEAD_LETTER_QUEUE]: () => letters.counts(),
  });
  addGauge(metrics.registry, {
    name: 'landline_database_waiting',
    help: 'Whether the worker waits for the database, and takes no jobs: 1 or 0.',
    read: () => Number(gate.isClosed()),
  });
  addDeadEvents(metrics.registry, store);
  const beats = openPostgresBeats({ redisUrl });
  const postgresWatch = watchPostgres({ store, beats, commits, isWaiting: () => gate.isClosed(), logger, metrics });
  let consuming = false;
  let laying: Laying | undefined;
  return {
    metrics,
    health: createHealth({
      consumer: events,
      store,
      isWaiting: () => gate.isClosed(),
      isConsuming: () => consuming,
      now: Date.now,
      wedgedAfterMs: options.wedgedAfterMs ?? WEDGED_AFTER_MS,
    }),
    start() {
      consuming = true;
      events.start();
      letters.start();
      laying = layDeadLetters({ store, deadLetters, check: letterCheck, logger, isWaiting: () => gate.isClosed() });
      postgresWatch.start();
    },
    async stop(limit) {
      consuming = false;
      await Promise.all([events.close(limit), letters.close(limit), laying?.stop()]);
      await postgresWatch.stop();
      left.abort();
      await Promise.all([deadLetters.close(), beats.close(), store.close()]);
      canaryMark.close();
      letterCheck.close();
    },
  };
}
