import type { Queue } from 'bullmq';
import { onTestFinished } from 'vitest';
import { openQueues } from '../../src/jobs/queues.ts';

/** The queues as BullMQ's objects, for a test to read; closed when it ends. */
export async function theQueues(
  redisUrl: string,
  prefix?: string,
): Promise<Record<'events' | 'deadLetters' | 'operations' | 'rejected' | 'requests', Queue>> {
  const queues = openQueues({ redisUrl, ...(prefix !== undefined && { prefix }) });
  onTestFinished(() => queues.close());
  await queues.ping();
  return queues;
}
