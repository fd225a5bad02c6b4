import { once } from 'node:events';
import type { Queue } from 'bullmq';
import { beforeEach, describe, expect, inject, it } from 'vitest';
import { createConsumer } from '../../src/consume/consumer.ts';
import { EVENT_JOB_OPTIONS, JOB_NAME } from '../../src/jobs/job-options.ts';
import { WEBHOOK_QUEUE } from '../../src/names.ts';
import { aConsumer } from '../support/a-consumer.ts';
import { anEvent, ownPrefix } from '../support/an-event.ts';
import { theQueues } from '../support/the-queues.ts';
import { waitUntil } from '../support/wait-until.ts';

const redisUrl = inject('redisUrl');
let prefix: string;
let queue: Queue;

beforeEach(async () => {
  prefix = ownPrefix();
  queue = (await theQueues(redisUrl, prefix)).events;
});

const add = (attempts: number) =>
  queue.add(JOB_NAME, { v: 1, events: [anEvent()] }, { ...EVENT_JOB_OPTIONS, attempts });

/** A fraction of the limit of those that need not wait for it: on a busy machine a second says nothing. */
const SOON_MS = 15_000;

async function msOf(promise: Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await promise;
  return performance.now() - begun;
}

describe('closing a consumer', () => {
  it('lets a running job finish, and takes no more', async () => {
    const release = new AbortController();
    const consumer = aConsumer({
      redisUrl,
      prefix,
      process: async () => void (await once(release.signal, 'abort')),
    });
    await add(1);
    await add(1);
    await waitUntil(() => consumer.jobs.length === 1);
    const closed = consumer.close({ timeoutMs: 60_000 });
    release.abort();
    expect(await msOf(closed)).toBeLessThan(SOON_MS);
    expect(await queue.getJobCounts('wait', 'active', 'failed')).toEqual({ wait: 1, active: 0, failed: 0 });
  });

  it('takes back a job that gives up when its signal is aborted, for another worker, without spending an attempt', async () => {
    const consumer = aConsumer({
      redisUrl,
      prefix,
      process: async (_, signal) => {
        await once(signal, 'abort');
        throw new Error('stopping');
      },
    });
    await add(1);
    await waitUntil(() => consumer.jobs.length === 1);
    expect(await msOf(consumer.close({ timeoutMs: 1000 }))).toBeLessThan(SOON_MS);
    expect(await queue.getJobCounts('wait', 'active', 'failed')).toEqual({ wait: 1, active: 0, failed: 0 });
    const other = aConsumer({ redisUrl, prefix });
    await waitUntil(() => other.jobs.length === 1);
    expect(other.jobs[0]).toMatchObject({ attempt: 1, lastAttempt: true });
  });

  it('does not wait for a job that ignores the signal; another worker gets it', async () => {
    const consumer = aConsumer({ redisUrl, prefix, process: () => new Promise(() => undefined) });
    await add(1);
    await waitUntil(() => consumer.jobs.length === 1);
    expect(await msOf(consumer.close({ timeoutMs: 500 }))).toBeLessThan(SOON_MS);
    const other = aConsumer({ redisUrl, prefix });
    await waitUntil(() => other.jobs.length === 1, { timeoutMs: 40_000 });
    expect(other.jobs[0]).toMatchObject({ attempt: 1, lastAttempt: true });
  });

  it('is quick when idle', async () => {
    const consumer = aConsumer({ redisUrl, prefix });
    await consumer.ping();
    expect(await msOf(consumer.close({ timeoutMs: 60_000 }))).toBeLessThan(SOON_MS);
  });

  it('closes without having been started', async () => {
    const consumer = createConsumer({
      redisUrl,
      prefix,
      queue: WEBHOOK_QUEUE,
      concurrency: 1,
      process: () => Promise.resolve(),
    });
    expect(await msOf(consumer.close({ timeoutMs: 60_000 }))).toBeLessThan(SOON_MS);
  });

  it('is quick when Redis was never there', async () => {
    const consumer = aConsumer({ redisUrl: 'redis://127.0.0.1:1', prefix });
    await waitUntil(() => consumer.errors.length > 0);
    expect(await msOf(consumer.close({ timeoutMs: 60_000 }))).toBeLessThan(SOON_MS);
  });
});
