import type { Queue } from 'bullmq';
import { beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest';
import { createProducerConnection, endConnection } from '../../src/redis/connection.ts';
import { HandBackError } from '../../src/errors.ts';
import { EVENT_JOB_OPTIONS, JOB_NAME } from '../../src/jobs/job-options.ts';
import { jobFailure } from '../../src/consume/job-failure.ts';
import { aConsumer } from '../support/a-consumer.ts';
import { anEvent, ownPrefix } from '../support/an-event.ts';
import { theQueues } from '../support/the-queues.ts';
import { countsOf } from '../support/counts-of.ts';
import { waitUntil } from '../support/wait-until.ts';

const redisUrl = inject('redisUrl');
let prefix: string;
let queue: Queue;

beforeEach(async () => {
  prefix = ownPrefix();
  queue = (await theQueues(redisUrl, prefix)).events;
});

async function add(attempts: number, data: unknown = { v: 1, events: [anEvent()] }): Promise<string> {
  const job = await queue.add(JOB_NAME, data, { ...EVENT_JOB_OPTIONS, attempts });
  return job.id ?? '';
}

/** Leaves a waiting job as so many workers that died of it would: taken, without a lock, and counted. */
async function asLeftByDeadWorkers(id: string, deaths: number): Promise<void> {
  const connection = createProducerConnection(redisUrl, { enqueueTimeoutMs: 5000 });
  onTestFinished(() => endConnection(connection));
  await connection.connect();
  await connection.hset(queue.toKey(id), 'stc', deaths);
  await connection.lmove(queue.toKey('wait'), queue.toKey('active'), 'LEFT', 'LEFT');
}

describe('onFailed', () => {
  it('is called for each attempt that failed, and that the last is final', async () => {
    const id = await add(2);
    const error = new Error('the table is gone');
    const consumer = aConsumer({ redisUrl, prefix, process: () => Promise.reject(error) });
    await waitUntil(() => consumer.failures.length === 2);
    expect(consumer.failures).toEqual([
      { id, attempt: 1, final: false, error },
      { id, attempt: 2, final: true, error },
    ]);
    expect(await queue.getFailedCount()).toBe(1);
    expect(consumer.errors).toEqual([]);
  });

  it('is called at once, with a final failure, for a job that makes no sense', async () => {
    const id = await add(8, { v: 3 });
    const consumer = aConsumer({ redisUrl, prefix });
    await waitUntil(() => consumer.failures.length === 1);
    const error = expect.objectContaining({ message: expect.stringContaining('not a group of events') });
    expect(consumer.failures).toEqual([{ id, attempt: 1, final: true, error }]);
  });

  it('is called for a job that died with too many workers', async () => {
    const id = await add(8);
    await asLeftByDeadWorkers(id, 10);
    const consumer = aConsumer({ redisUrl, prefix });
    await waitUntil(() => consumer.failures.length === 1);
    const error = expect.objectContaining({ message: expect.stringContaining('stalled') });
    expect(consumer.failures).toEqual([{ id, attempt: 1, final: true, error }]);
    expect(consumer.jobs).toEqual([]);
  });

  it('is not called for a job that was handed back', async () => {
    await add(1);
    const consumer = aConsumer({
      redisUrl,
      prefix,
      process: () =>
        consumer.jobs.length < 3 ? Promise.reject(new HandBackError('down', { delayMs: 10 })) : Promise.resolve(),
    });
    await waitUntil(async () => consumer.jobs.length === 3 && (await countsOf(consumer)).active === 0);
    expect(consumer.failures).toEqual([]);
  });

  it('is called for a job that BullMQ no longer knows', () => {
    const error = new Error('stalled');
    expect(jobFailure(undefined, error)).toEqual({ id: '', attempt: 0, final: true, error });
  });
});
