import type { Delivery } from '@landline/webhook';
import { Queue } from 'bullmq';

/** The name of the queue and of its jobs. */
export const QUEUE = 'webhooks';

/** Opens the queue in Redis. BullMQ tries a job again for about half a minute, removes a job that is done, and chooses the ids. */
export function openQueue(url: string): Queue<Delivery> {
  const defaultJobOptions = { attempts: 5, backoff: { type: 'exponential', delay: 1000 }, removeOnComplete: true };
  return new Queue<Delivery>(QUEUE, { connection: { url }, defaultJobOptions });
}
