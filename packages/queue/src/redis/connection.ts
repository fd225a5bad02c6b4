import { Redis, type RedisOptions } from 'ioredis';
import { QUEUE_PREFIX } from '../names.ts';
import { createFindMaster } from '../servers/find-master.ts';
import { keySlot } from '../servers/key-slot.ts';
import { masterConnector } from '../servers/master-connector.ts';
import type { Place } from '../servers/place.ts';
import { readRedisUrl } from '../servers/redis-address.ts';

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
  disconnectTimeout: DISCONNECT_TIMEOUT_MS,
  connectTimeout: CONNECT_TIMEOUT_MS,
  maxLoadingRetryTime: LOADING_POLL_MS,
} satisfies RedisOptions;

/**
 * Errors after which only a new connection finds the master: an old master may keep its connections open as a replica, a Cluster's slot has
 * moved, or the node is cut off from the rest of its Cluster.
 */
const MASTER_IS_ELSEWHERE = /^(READONLY|MOVED|CLUSTERDOWN) /;

/**
 * Makes a connection that fails fast. With Redis away a command rejects within a millisecond, with Redis frozen after
 * `enqueueTimeoutMs`. `connect()` opens it, and it reconnects by itself. It always has an error listener, so a lost Redis never crashes
 * the process.
 */
export function createProducerConnection(
  url: string,
  { enqueueTimeoutMs, ...place }: { enqueueTimeoutMs: number } & Omit<Place, 'redisUrl'>,
): Redis {
  return openRedis(
    { ...place, redisUrl: url },
    {
      lazyConnect: true,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      commandTimeout: enqueueTimeoutMs,
      socketTimeout: PRODUCER_SOCKET_TIMEOUT_MS,
    },
  );
}

/**
 * Makes a connection that waits for Redis for ever, but notices a dead socket. It opens at once: BullMQ gives up for good on a lazy
 * connection whose first attempt fails. It reconnects by itself, and always has an error listener. CLIENT LIST shows `name`.
 */
export function createConsumerConnection(
  url: string,
  { name, ...place }: { name?: string } & Omit<Place, 'redisUrl'> = {},
): Redis {
  return openRedis(
    { ...place, redisUrl: url },
    {
      ...(name !== undefined && { connectionName: name }),
      maxRetriesPerRequest: null,
      socketTimeout: CONSUMER_SOCKET_TIMEOUT_MS,
    },
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

/**
 * The only place that opens ioredis. A Cluster needs no more than an ordinary connection: all keys of a shard are in one slot, so the
 * connection goes to the master that has the slot.
 */
function openRedis(
  { redisUrl, redisCa, prefix = QUEUE_PREFIX }: Place,
  options: Omit<RedisOptions, 'replyMapping'>,
): Redis {
  const read = readRedisUrl(redisUrl);
  if ('fault' in read) throw new Error(read.fault);
  const [address, ...others] = read.addresses;
  if (address === undefined || others.length > 0) throw new Error('A connection goes to one Redis, not to several.');
  const common = { ...COMMON, reconnectOnError: ({ message }: Error) => MASTER_IS_ELSEWHERE.test(message), ...options };
  const tls = redisCa === undefined ? {} : { ca: redisCa };
  if (address.kind === 'server') {
    const isTls = address.url.startsWith('rediss:');
    return guarded(new Redis(address.url, { ...common, ...(isTls && { tls }) }));
  }
  const search = { slot: keySlot(prefix), tls: address.isTls ? tls : undefined };
  return guarded(
    new Redis({
      ...common,
      ...address.login,
      ...(address.isTls && { tls }),
      ...(address.kind === 'sentinel' && { db: address.database }),
      Connector: masterConnector({
        findMaster: createFindMaster(address, search),
        tls: search.tls,
        disconnectTimeoutMs: DISCONNECT_TIMEOUT_MS,
      }),
    }),
  );
}

function guarded(connection: Redis): Redis {
  return connection.on('error', () => undefined);
}
