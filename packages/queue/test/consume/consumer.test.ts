import { once } from 'node:events';
import type { Queue } from 'bullmq';
import { beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest';
import { createProducerConnection, endConnection } from '../../src/redis/connection.ts';
import { HandBackError } from '../../src/errors.ts';
import { EVENT_JOB_OPTIONS, JOB_NAME } from '../../src/jobs/job-options.ts';
import { aConsumer } from '../support/a-consumer.ts';
import { aShard } from '../support/a-shard.ts';
import { anEvent, ownPrefix } from '../support/an-event.ts';
import { HOSTILE_BODIES } from '../support/hostile-bodies.ts';
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

/** Adds a job as a shard does, but with fewer attempts where a test waits for the last. */
async function add(data: unknown, attempts = 8): Promise<string> {
  const job = await queue.add(JOB_NAME, data, { ...EVENT_JOB_OPTIONS, attempts });
  return job.id ?? '';
}

const isFailed = async () => (await queue.getFailedCount()) === 1;

describe('createConsumer', () => {
  it('hands over what a shard wrote, byte for byte', async () => {
    const shard = await aShard({ redisUrl, prefix });
    const events = HOSTILE_BODIES.map(([, body]) => anEvent(body));
    await Promise.all(events.map((event) => shard.add([event], 100)));
    const consumer = aConsumer({ redisUrl, prefix });
    await waitUntil(() => consumer.jobs.flatMap((job) => job.events).length === events.length);
    expect(consumer.jobs.flatMap((job) => job.events)).toEqual(events);
    expect(consumer.errors).toEqual([]);
  });

  it('leaves nothing of finished jobs in Redis but the books of the queue', async () => {
    const shard = await aShard({ redisUrl, prefix });
    for (let index = 0; index < 50; index += 1) await shard.add([anEvent()], 100);
    const consumer = aConsumer({ redisUrl, prefix, concurrency: 4 });
    await waitUntil(async () => consumer.jobs.length === 50 && (await countsOf(consumer)).active === 0);
    const books = ['id', 'meta', 'events', 'marker', 'stalled-check'].map((name) => `${prefix}:webhook-events:${name}`);
    const connection = createProducerConnection(redisUrl, { enqueueTimeoutMs: 5000 });
    onTestFinished(() => endConnection(connection));
    await connection.connect();
    const keys = await connection.keys(`${prefix}:webhook-events:*`);
    expect(keys.filter((key) => !books.includes(key))).toEqual([]);
    expect(await queue.getJobCountByTypes()).toBe(0);
  });

  it('tries again after a back-off, spends attempts, and keeps what fails the last with its error', async () => {
    await add({ v: 1, events: [anEvent()] }, 3);
    const consumer = aConsumer({
      redisUrl,
      prefix,
      process: () => Promise.reject(new Error('the table is gone')),
    });
    await waitUntil(isFailed);
    expect(consumer.jobs.map(({ attempt, lastAttempt }) => [attempt, lastAttempt])).toEqual([
      [1, false],
      [2, false],
      [3, true],
    ]);
    const [job] = await queue.getFailed();
    expect(job?.failedReason).toBe('the table is gone');
    expect(job?.stacktrace?.[0]).toContain('consumer.test.ts');
    expect(await countsOf(consumer)).toEqual({ waiting: 0, active: 0, delayed: 0, failed: 1 });
  });

  it('applies a job whose fault passes', async () => {
    await add({ v: 1, events: [anEvent()] });
    const consumer = aConsumer({
      redisUrl,
      prefix,
      process: ({ attempt }) => (attempt === 1 ? Promise.reject(new Error('deadlock')) : Promise.resolve()),
    });
    await waitUntil(() => consumer.jobs.length === 2);
    await waitUntil(async () => Object.values(await countsOf(consumer)).every((count) => count === 0));
    expect(consumer.jobs.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  it('takes back a job that was handed back, without spending an attempt', async () => {
    await add({ v: 1, events: [anEvent()] }, 1);
    let handBacks = 3;
    const consumer = aConsumer({
      redisUrl,
      prefix,
      process: () => {
        handBacks -= 1;
        return handBacks >= 0 ? Promise.reject(new HandBackError('down', { delayMs: 10 })) : Promise.resolve();
      },
    });
    await waitUntil(async () => consumer.jobs.length === 4 && (await countsOf(consumer)).active === 0);
    expect(consumer.jobs.map(({ attempt, lastAttempt }) => [attempt, lastAttempt])).toEqual(
      Array.from({ length: 4 }, () => [1, true]),
    );
    expect(await countsOf(consumer)).toEqual({ waiting: 0, active: 0, delayed: 0, failed: 0 });
  });

  it('takes other jobs while one that was handed back rests', async () => {
    const consumer = aConsumer({
      redisUrl,
      prefix,
      process: ({ events }) =>
        events[0]?.body === 'back' ? Promise.reject(new HandBackError('down', { delayMs: 60_000 })) : Promise.resolve(),
    });
    await add({ v: 1, events: [anEvent('back')] });
    await add({ v: 1, events: [anEvent('other')] });
    await waitUntil(() => consumer.jobs.length === 2);
    await waitUntil(async () => (await countsOf(consumer)).active === 0);
    expect((await countsOf(consumer)).delayed).toBe(1);
  });

  it.each([
    ['another version', { v: 3, events: [] }, /v\b/],
    ['no events', { v: 1, events: [] }, /events/],
    ['half an event', { v: 1, events: [{ body: 'kept' }] }, /events\[0\]\.receivedAt/],
    ['a string', 'hello', /expected object/],
    ['null', null, /expected object/],
  ])('lets a job with data that is not ours rest in failed at once: %s', async (_, data, message) => {
    await add(data);
    const consumer = aConsumer({ redisUrl, prefix });
    await waitUntil(isFailed);
    expect(consumer.jobs).toEqual([]);
    const [job] = await queue.getFailed();
    expect(job?.attemptsMade).toBe(1);
    expect(job?.data).toEqual(data);
    expect(job?.failedReason).toMatch(message);
    await add({ v: 1, events: [anEvent('next')] });
    await waitUntil(() => consumer.jobs.length === 1);
  });

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['a string', 'no'],
    ['an object without a prototype', Object.create(null)],
    ['an error without a message', new Error('')],
  ])('is not wedged by a process that throws %s', async (_, thrown: unknown) => {
    await add({ v: 1, events: [anEvent()] }, 1);
    const consumer = aConsumer({ redisUrl, prefix, process: () => Promise.reject(thrown) });
    await waitUntil(isFailed);
    expect((await queue.getFailed())[0]?.failedReason).not.toBe('');
    await add({ v: 1, events: [anEvent()] }, 1);
    await waitUntil(() => consumer.jobs.length === 2);
  });

  it('runs as many jobs at once as its concurrency says', async () => {
    let running = 0;
    let most = 0;
    const release = new AbortController();
    const consumer = aConsumer({
      redisUrl,
      prefix,
      concurrency: 3,
      process: async () => {
        running += 1;
        most = Math.max(most, running);
        if (!release.signal.aborted) await once(release.signal, 'abort');
        running -= 1;
      },
    });
    for (let index = 0; index < 6; index += 1) await add({ v: 1, events: [anEvent()] });
    await waitUntil(() => running === 3);
    expect(await countsOf(consumer)).toEqual({ waiting: 3, active: 3, delayed: 0, failed: 0 });
    release.abort();
    await waitUntil(() => consumer.jobs.length === 6);
    expect(most).toBe(3);
  });

  it('is seen among the workers of its queue', async () => {
    const consumer = aConsumer({ redisUrl, prefix });
    await waitUntil(async () => (await queue.getWorkersCount()) === 1);
    await consumer.close({ timeoutMs: 2000 });
    await waitUntil(async () => (await queue.getWorkersCount()) === 0);
    expect(consumer.errors).toEqual([]);
  });

  it('knows when it last took or finished a job', async () => {
    const consumer = aConsumer({ redisUrl, prefix });
    const before = consumer.lastConsumedAt();
    await waitUntil(() => Date.now() > before);
    await add({ v: 1, events: [anEvent()] });
    await waitUntil(() => consumer.lastConsumedAt() > before);
    expect(consumer.jobs).toHaveLength(1);
    await expect(consumer.ping()).resolves.toBeUndefined();
  });
});
