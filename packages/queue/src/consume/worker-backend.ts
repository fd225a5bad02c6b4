import { QueueKeys, RedisConnection, RedisQueueBackend, type BackendFactory } from 'bullmq';
import type { Redis } from 'ioredis';

/**
 * Lets a BullMQ worker run on two connections of ours. Without this BullMQ copies the first for its blocking reads. Only BullMQ can
 * end the copy: we could not close a worker that never reached Redis.
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
