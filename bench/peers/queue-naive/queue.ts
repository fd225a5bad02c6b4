import type { Delivery } from '@landline/webhook';
import { Queue } from 'bullmq';

/** The one queue, and the name of its jobs. */
export const QUEUE = 'webhooks';

/** Opens the queue in Redis. A job is tried again for about half a minute, and is gone when done; its id is BullMQ's own. */
export function openQueue(url: string): Queue<Delivery> {
  const defaultJobOptions = { attempts: 5, backoff: { type: 'exponential', delay: 1000 }, removeOnComplete: true };
  return new Queue<Delivery>(QUEUE, { connection: { url }, defaultJobOptions });
}
