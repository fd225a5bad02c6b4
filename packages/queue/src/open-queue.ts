import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { QUEUE_PREFIX } from './names.ts';

/**
 * Opens a BullMQ queue on a connection of ours that fails fast.
 *
 * BullMQ's own waiting and its version check are off: they would make the first add hang while Redis is away, and fail all later
 * ones for good. `checkRedis` looks at the version.
 */
export function openQueue(name: string, connection: Redis, prefix: string = QUEUE_PREFIX): Queue<unknown> {
  const queue = new Queue<unknown>(name, {
    connection,
    prefix,
    skipWaitingForReady: true,
    skipVersionCheck: true,
    skipMetasUpdate: true,
  });
  // The connection's own listener tells of errors; without one here BullMQ prints them.
  return queue.on('error', () => undefined);
}
