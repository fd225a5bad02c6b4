import type { Queue } from 'bullmq';
import { createProducerConnection, endConnection, firstAttempt } from './connection.ts';
import { DEAD_LETTER_QUEUE, WEBHOOK_QUEUE } from './names.ts';
import { openQueue } from './open-queue.ts';

/** How long an operation of the dashboard may take, in ms: it moves jobs by the thousand. */
const OPERATION_TIMEOUT_MS = 10_000;

/** Both queues as BullMQ's own objects, for Bull Board. */
export interface OpenQueues {
  events: Queue<unknown>;
  deadLetters: Queue<unknown>;
  /** Asks Redis for an answer; rejects when it is away. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Opens both queues on one connection; connects at once. With Redis away their operations reject at once. */
export function openQueues({ redisUrl, prefix }: { redisUrl: string; prefix?: string }): OpenQueues {
  const connection = createProducerConnection(redisUrl, { enqueueTimeoutMs: OPERATION_TIMEOUT_MS });
  const connected = firstAttempt(connection);
  const events = openQueue(WEBHOOK_QUEUE, connection, prefix);
  const deadLetters = openQueue(DEAD_LETTER_QUEUE, connection, prefix);
  return {
    events,
    deadLetters,
    async ping() {
      await connected;
      await connection.ping();
    },
    async close() {
      await Promise.all([events.close(), deadLetters.close()]);
      endConnection(connection);
    },
  };
}
