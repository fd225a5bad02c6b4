import { Redis, type RedisOptions } from 'ioredis';

/** A socket is dead when an answer is due and nothing arrives for this long, in ms. */
const PRODUCER_SOCKET_TIMEOUT_MS = 5000;

/** The same for the worker, in ms. It must be longer than the longest blocking read (10 s), or an idle worker reconnects for ever. */
const CONSUMER_SOCKET_TIMEOUT_MS = 15_000;

const CONNECT_TIMEOUT_MS = 2000;
const DISCONNECT_TIMEOUT_MS = 200;

/** How often to ask a Redis that is loading its data whether it is done, in ms. */
const LOADING_POLL_MS = 500;

/** Short and capped: a client is back at most a second after Redis. */
const retryStrategy = (times: number): number => Math.min(1000, 25 * 2 ** Math.min(times, 10));

const COMMON = {
  retryStrategy,
  // After a failover the old primary may keep its connections open as a replica: only a new connection finds the new one.
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  disconnectTimeout: DISCONNECT_TIMEOUT_MS,
  maxLoadingRetryTime: LOADING_POLL_MS,
} satisfies RedisOptions;

/**
 * Makes a connection that fails fast. With Redis away a command rejects within a millisecond, with Redis frozen after
 * `enqueueTimeoutMs`. `connect()` opens it, and it reconnects by itself. It always has an error listener, so a lost Redis never crashes
 * the process.
 */
export function createProducerConnection(url: string, { enqueueTimeoutMs }: { enqueueTimeoutMs: number }): Redis {
  return guarded(
    new Redis(url, {
      ...COMMON,
      lazyConnect: true,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      commandTimeout: enqueueTimeoutMs,
      socketTimeout: PRODUCER_SOCKET_TIMEOUT_MS,
      connectTimeout: CONNECT_TIMEOUT_MS,
    }),
  );
}

/**
 * Makes a connection that waits for Redis for ever, but notices a dead socket. It opens at once: BullMQ gives up for good on a lazy
 * connection whose first attempt fails. It reconnects by itself, and always has an error listener. CLIENT LIST shows `name`.
 */
export function createConsumerConnection(url: string, { name }: { name?: string } = {}): Redis {
  return guarded(
    new Redis(url, {
      ...COMMON,
      ...(name !== undefined && { connectionName: name }),
      maxRetriesPerRequest: null,
      socketTimeout: CONSUMER_SOCKET_TIMEOUT_MS,
      connectTimeout: CONNECT_TIMEOUT_MS,
    }),
  );
}

/** Opens a connection made by `createProducerConnection`; resolves after the first attempt, whatever came of it. */
export async function firstAttempt(connection: Redis): Promise<void> {
  // The error event reported what is wrong, and ioredis tries again.
  await connection.connect().catch(() => undefined);
}

/**
 * Ends a connection at once and rejects what still waits on it.
 *
 * Between two attempts ioredis' `disconnect` neither ends nor rejects. So this begins another attempt, and ends that.
 */
export function endConnection(connection: Redis): void {
  if (connection.status === 'reconnecting') connection.connect().catch(() => undefined);
  connection.disconnect();
}

function guarded(connection: Redis): Redis {
  return connection.on('error', () => undefined);
}
