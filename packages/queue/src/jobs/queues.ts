import type { Job, Queue } from 'bullmq';
import { createProducerConnection, endConnection, firstAttempt } from '../redis/connection.ts';
import { listJobs, type JobPage } from './list-jobs.ts';
import { DEAD_LETTER_QUEUE, OPERATIONS_QUEUE, REJECTED_QUEUE, REQUESTS_QUEUE, WEBHOOK_QUEUE } from '../names.ts';
import type { Place } from '../servers/place.ts';
import { openQueue } from './open-queue.ts';
import { createRetryAll, type RetryAllOptions, type RestingState } from './retry-all.ts';

/** How long an operation of the dashboard may take, in ms: it moves jobs by the thousand. */
const OPERATION_TIMEOUT_MS = 10_000;

/** The queues as BullMQ's own objects, for Bull Board. */
export interface OpenQueues {
  events: Queue<unknown>;
  deadLetters: Queue<unknown>;
  operations: Queue<unknown>;
  /** Requests that were refused for their signature. */
  rejected: Queue<unknown>;
  /** Requests of the console. */
  requests: Queue<unknown>;
  /** Lists jobs of a queue; the data of a large job is its size in words. */
  list(queue: Queue<unknown>, page: JobPage): Promise<Job<unknown>[]>;
  /** Retries all jobs that rest in a state, in the background; see `RetryAll.start`. */
  retryAll(queue: Queue<unknown>, state: RestingState): Promise<number>;
  /** Asks Redis for an answer; rejects when it is away. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** How to open the queues. */
export interface QueuesOptions extends RetryAllOptions, Place {}

/** Opens the queues on one connection; connects at once. With Redis away their operations reject at once. */
export function openQueues({ redisUrl, redisCa, prefix, ...callbacks }: QueuesOptions): OpenQueues {
  const connection = createProducerConnection(redisUrl, { redisCa, prefix, enqueueTimeoutMs: OPERATION_TIMEOUT_MS });
  const connected = firstAttempt(connection);
  const events = openQueue(WEBHOOK_QUEUE, connection, prefix);
  const deadLetters = openQueue(DEAD_LETTER_QUEUE, connection, prefix);
  const operations = openQueue(OPERATIONS_QUEUE, connection, prefix);
  const rejected = openQueue(REJECTED_QUEUE, connection, prefix);
  const requests = openQueue(REQUESTS_QUEUE, connection, prefix);
  const retryAll = createRetryAll(callbacks);
  return {
    events,
    deadLetters,
    operations,
    rejected,
    requests,
    list: (queue, page) => listJobs(connection, queue, page),
    retryAll: (queue, state) => retryAll.start(queue, state),
    async ping() {
      await connected;
      await connection.ping();
    },
    async close() {
      await retryAll.close();
      await Promise.all([events, deadLetters, operations, rejected, requests].map((queue) => queue.close()));
      endConnection(connection);
    },
  };
}
