import { Queue, type QueueOptions } from 'bullmq';
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
  return quiet(new Queue(name, optionsOf(connection, prefix)));
}

/** Opens the webhook queue in the same way, for a process that adds jobs. */
export function openEventQueue(connection: Redis, prefix: string = QUEUE_PREFIX): EventQueue {
  return quiet(new EventQueue(WEBHOOK_QUEUE, optionsOf(connection, prefix)));
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

function quiet<T extends Queue>(queue: T): T {
  // The connection's own listener reports errors; without a listener here BullMQ prints them.
  return queue.on('error', () => undefined);
}
