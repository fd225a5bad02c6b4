import { once } from 'node:events';
import { DelayedError, type Queue } from 'bullmq';
import { beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest';
import { createProducerConnection, endConnection } from '../../src/redis/connection.ts';
import { HandBackError } from '../../src/errors.ts';
import { EVENT_JOB_OPTIONS, JOB_NAME } from '../../src/jobs/job-options.ts';
import { processJob, type JobContext } from '../../src/consume/process-job.ts';
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

const add = () => queue.add(JOB_NAME, { v: 1, events: [anEvent()] }, EVENT_JOB_OPTIONS);

async function aConnection() {
  const connection = createProducerConnection(redisUrl, { enqueueTimeoutMs: 5000 });
  onTestFinished(() => endConnection(connection));
  await connection.connect();
  return connection;
}

describe('a paused consumer', () => {
  it('takes no job until it is resumed, though it has room', async () => {
    const release = new AbortController();
    const consumer = aConsumer({
      redisUrl,
      prefix,
      concurrency: 3,
      process: async () => void (release.signal.aborted || (await once(release.signal, 'abort'))),
    });
    await add();
    await waitUntil(() => consumer.jobs.length === 1);
    consumer.pause();
    for (let i = 0; i < 5; i += 1) await add();
    // The read that was under way may bring one more.
    const other = aConsumer({ redisUrl, prefix });
    await waitUntil(() => consumer.jobs.length + other.jobs.length === 6);
    expect(consumer.jobs.length).toBeLessThanOrEqual(2);

    consumer.resume();
    await other.close({ timeoutMs: 2000 });
    const before = consumer.jobs.length;
    await add();
    await waitUntil(() => consumer.jobs.length > before);
    release.abort();
    await waitUntil(async () => (await queue.getJobCountByTypes()) === 0);
    expect(consumer.failures).toEqual([]);
  });

  it('keeps the locks of the jobs in hand', async () => {
    const release = new AbortController();
    const consumer = aConsumer({ redisUrl, prefix, process: async () => void (await once(release.signal, 'abort')) });
    const job = await add();
    await waitUntil(() => consumer.jobs.length === 1);
    consumer.pause();
    const connection = await aConnection();
    let renewals = 0;
    let last = await connection.pttl(queue.toKey(`${job.id}:lock`));
    await waitUntil(
      async () => {
        const left = await connection.pttl(queue.toKey(`${job.id}:lock`));
        if (left > last) renewals += 1;
        last = left;
        return renewals === 3;
      },
      { timeoutMs: 40_000 },
    );
    expect(consumer.lockLostAt()).toBeUndefined();
    release.abort();
    await waitUntil(async () => (await queue.getJobCountByTypes()) === 0);
    // With nothing in hand it has come to rest, and takes jobs again all the same.
    consumer.resume();
    await add();
    await waitUntil(() => consumer.jobs.length === 2);
  });

  it('may be closed', async () => {
    const consumer = aConsumer({ redisUrl, prefix });
    await consumer.ping();
    consumer.pause();
    await add();
    await consumer.close({ timeoutMs: 2000 });
    // Done where the read that was under way brought it, else left for others.
    expect(await queue.getJobCounts('wait', 'active')).toEqual({ wait: 1 - consumer.jobs.length, active: 0 });
  });
});

describe('a job whose lock is lost', () => {
  it('gets an aborted signal, and is done by the worker that takes it then, no attempt spent', async () => {
    const gaveUp: unknown[] = [];
    const consumer = aConsumer({
      redisUrl,
      prefix,
      process: async (_, signal) => {
        if (consumer.jobs.length > 1) return;
        await once(signal, 'abort');
        gaveUp.push(consumer.lockLostAt());
        throw new HandBackError('another worker has it');
      },
    });
    const job = await add();
    await waitUntil(() => consumer.jobs.length === 1);
    await (await aConnection()).del(queue.toKey(`${job.id}:lock`));
    await waitUntil(async () => consumer.jobs.length === 2 && (await queue.getJobCountByTypes()) === 0, {
      timeoutMs: 40_000,
    });
    expect(gaveUp).toEqual([expect.any(Number)]);
    expect(consumer.lockLostAt()).toBeUndefined();
    expect(consumer.jobs.map(({ attempt }) => attempt)).toEqual([1, 1]);
    expect(consumer.failures).toEqual([]);
  });
});

describe('a fault of Redis is no failure of the job', () => {
  const largeJobs: JobContext['largeJobs'] = { run: (job, work) => work(job.data) };
  const context = { signal: new AbortController().signal, largeJobs, report: () => undefined };

  it('where a job that is done cannot be taken off the queue: it is taken again', { timeout: 60_000 }, async () => {
    const connection = await aConnection();
    const job = await add();
    // A job that waits for others cannot be completed, though it could be failed and delayed: the script that BullMQ's own loop calls is
    // refused, and no other.
    const others = queue.toKey(`${job.id}:dependencies`);
    const consumer = aConsumer({
      redisUrl,
      prefix,
      process: async () =>
        void (await (consumer.jobs.length === 1 ? connection.sadd(others, 'x') : connection.del(others))),
    });
    await waitUntil(async () => consumer.jobs.length === 2 && (await queue.getJobCountByTypes()) === 0, {
      timeoutMs: 40_000,
    });
    expect(consumer.jobs.map(({ attempt }) => attempt)).toEqual([1, 1]);
    expect(consumer.failures).toEqual([]);
  });

  it('where a job cannot be handed back', async () => {
    const job = await add();
    const handedBack = processJob(job, 'lost', {
      ...context,
      process: () => Promise.reject(new HandBackError('down')),
    });
    await expect(handedBack).rejects.toThrow(DelayedError);
  });
});
