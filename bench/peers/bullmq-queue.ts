import type { Delivery } from '@landline/webhook';
import { createPostgresBackend, Queue, withBackend, Worker, type JobsOptions } from 'bullmq';

/** The one queue, and the name of its jobs. */
export const QUEUE = 'webhooks';

/** Tried again for about half a minute; gone when done. The id is BullMQ's own. */
export const JOB_OPTIONS: JobsOptions = {
  attempts: 5,
  backoff: { type: 'exponential', delay: 1000 },
  removeOnComplete: true,
};

/** Jobs at once: more than this is no faster on two cores. */
export const CONCURRENCY = 8;

const postgres = withBackend(createPostgresBackend);

/** Applies one job's event. */
export type Apply = (delivery: Delivery) => Promise<void>;

/** What the programs need of a queue. */
export interface DeliveryQueue {
  add: (delivery: Delivery) => Promise<unknown>;
  addBulk: (deliveries: readonly Delivery[]) => Promise<unknown>;
  /** Makes what it needs where that is missing. */
  ready: () => Promise<unknown>;
  pending: () => Promise<number>;
  close: () => Promise<void>;
}

/** The queue in Redis. */
export function openRedisQueue(url: string): DeliveryQueue {
  return deliveryQueue(new Queue<Delivery>(QUEUE, { connection: { url } }));
}

/** The queue in Postgres; its schema is made where it is missing. */
export function openPostgresQueue(connectionString: string): DeliveryQueue {
  return deliveryQueue(new postgres.Queue<Delivery>(QUEUE, { connection: { connectionString, migrate: true } }));
}

/** A worker on the queue in Redis. */
export function startRedisWorker(url: string, concurrency: number, apply: Apply): { close: () => Promise<void> } {
  const connection = { url, maxRetriesPerRequest: null };
  return new Worker<Delivery>(QUEUE, (job) => apply(job.data), { connection, concurrency });
}

/** A worker on the queue in Postgres; each job at once may use a connection of the pool, as BullMQ's guide asks for. */
export function startPostgresWorker(
  connectionString: string,
  concurrency: number,
  apply: Apply,
): { close: () => Promise<void> } {
  const connection = { connectionString, max: concurrency };
  return new postgres.Worker<Delivery>(QUEUE, (job) => apply(job.data), { connection, concurrency });
}

/** Both backends' queues have the same methods, under types that are not each other's. */
type AnyQueue = Pick<Queue<Delivery>, 'add' | 'addBulk' | 'waitUntilReady' | 'getJobCountByTypes' | 'close'>;

function deliveryQueue(queue: AnyQueue): DeliveryQueue {
  return {
    add: (delivery) => queue.add(QUEUE, delivery, JOB_OPTIONS),
    addBulk: (deliveries) => queue.addBulk(deliveries.map((data) => ({ name: QUEUE, data, opts: JOB_OPTIONS }))),
    ready: () => queue.waitUntilReady(),
    pending: () => queue.getJobCountByTypes('waiting', 'active', 'delayed'),
    close: () => queue.close(),
  };
}
