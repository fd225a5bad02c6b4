import type { Logger } from '@landline/process';
import {
  createActivityWriter,
  createCanaryMark,
  createDeadLetters,
  openPostgresBeats,
  type QueueServers,
} from '@landline/queue';
import { createStore, type StoreOptions } from '@landline/store';
import { MAX_TRANSACTIONS } from './commit/share-transactions.ts';
import { countFailures } from './database/count-failures.ts';
import type { WorkerMetrics } from './metrics.ts';
import { DEAD_LETTER_CONCURRENCY } from './process/consumers.ts';

/**
 * Connections beside those of the transactions: for the gate's probe, the readiness check and the beat, to read and count the dead, and three
 * for an operation, which reads, asks what became of events and keeps its lease.
 */
const SPARE_CONNECTIONS = 7;

/** See `openConnections`. */
export type Connections = ReturnType<typeof openConnections>;

/** Where Redis and Postgres are. */
export interface ConnectionOptions extends QueueServers {
  databaseUrl: string;
  /** Limits of a statement, where the store's own do not fit. */
  limits?: Pick<StoreOptions, 'statementTimeoutMs' | 'lockTimeoutMs'>;
  logger: Pick<Logger, 'warn'>;
}

/** Opens what the worker speaks to Redis and Postgres with, beside the queues' consumers. */
export function openConnections(
  { databaseUrl, limits, logger, ...servers }: ConnectionOptions,
  metrics: Pick<WorkerMetrics, 'postgresErrors'>,
) {
  const poolSize = MAX_TRANSACTIONS + DEAD_LETTER_CONCURRENCY + SPARE_CONNECTIONS;
  const store = countFailures(createStore({ databaseUrl, poolSize, ...limits }), metrics);
  const deadLetters = createDeadLetters(servers);
  const canaryMark = createCanaryMark(servers);
  const beats = openPostgresBeats(servers);
  const activity = createActivityWriter({
    ...servers,
    role: 'worker',
    onError: ({ message }, isLost) =>
      logger.warn(
        isLost
          ? `The console lacks what this process counted last, unless Redis took it all the same: ${message}`
          : `What the console shows is written later: ${message}`,
      ),
  });
  return {
    store,
    deadLetters,
    canaryMark,
    beats,
    activity,
    async close() {
      await Promise.all([deadLetters.close(), beats.close(), store.close(), activity.close()]);
      canaryMark.close();
    },
  };
}
