import { QueueKeys, RedisConnection, RedisQueueBackend, type BackendFactory } from 'bullmq';
import type { Redis } from 'ioredis';

/**
 * Lets a BullMQ worker run on two connections of ours. Left alone it makes a copy for its blocking reads, which nobody else
 * can end: a worker that never reached Redis could not be closed.
 */
export function workerBackend(connection: Redis, blocking: Redis, prefix: string): BackendFactory<RedisQueueBackend> {
  const keys = new QueueKeys(prefix);
  return (name, options) =>
    new RedisQueueBackend(
      new RedisConnection(connection, { shared: true, blocking: false }),
      name,
      keys.getKeys(name),
      (type) => keys.toKey(name, type),
      options,
      new RedisConnection(blocking, { shared: true, blocking: true }),
    );
}
