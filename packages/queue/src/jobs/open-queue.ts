import type { Queue, QueueOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import { EventQueue } from './event-queue.ts';
import { QUEUE_PREFIX, WEBHOOK_QUEUE } from '../names.ts';

/**
 * Opens a BullMQ queue on a connection of ours that fails fast.
 *
 * BullMQ's own waiting and its version check are off. While Redis is away they would make the first add hang and fail all later adds
 * for good. `checkRedis` checks the version.
 */
export function openQueue(name: string, connection: Redis, prefix: string = QUEUE_PREFIX): Queue<unknown> {
  // The connection's own listener reports errors; without a listener here BullMQ prints them.
  return new EventQueue(name, optionsOf(connection, prefix)).on('error', () => undefined);
}

/** Opens the webhook queue in the same way. */
export function openEventQueue(connection: Redis, prefix: string = QUEUE_PREFIX): Queue<unknown> {
  return openQueue(WEBHOOK_QUEUE, connection, prefix);
}

function optionsOf(connection: Redis, prefix: string): QueueOptions {
  return {
    connection,
    prefix,
    skipWaitingForReady: true,
    skipVersionCheck: true,
    skipMetasUpdate: true,
  };
}
