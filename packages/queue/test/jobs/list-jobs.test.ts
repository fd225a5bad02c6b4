import type { Queue } from 'bullmq';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { encodeJob } from '../../src/jobs/encode-job.ts';
import { EVENT_JOB_OPTIONS, JOB_NAME } from '../../src/jobs/job-options.ts';
import { DEAD_LETTER_QUEUE } from '../../src/names.ts';
import { openEventQueue } from '../../src/jobs/open-queue.ts';
import { openQueues, type OpenQueues } from '../../src/jobs/queues.ts';
import { aConnection } from '../support/a-connection.ts';
import { aConsumer } from '../support/a-consumer.ts';
import { anEvent } from '../support/an-event.ts';
import { startPrivateRedis, type PrivateRedis } from '../../../../test/support/private-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

const MEBIBYTE = 1024 * 1024;

let redis: PrivateRedis;
let queues: OpenQueues;
beforeEach(async () => {
  redis = await startPrivateRedis();
  queues = openQueues({ redisUrl: redis.url });
  await queues.ping();
  onTestFinished(async () => {
    await queues.close();
    await redis.remove();
  });
});

const add = (queue: Queue, body: string, options: object = EVENT_JOB_OPTIONS) =>
  queue.add(JOB_NAME, { v: 1, events: [anEvent(body)] }, options);

const list = (queue: Queue, states: Parameters<OpenQueues['list']>[1]['states'] = ['waiting', 'failed', 'delayed']) =>
  queues.list(queue, { states, start: 0, end: 9 });

/** What Redis has sent to anybody so far, in bytes. */
const sentBytes = async () =>
  Number(/total_net_output_bytes:(\d+)/.exec(String(await redis.run(['INFO', 'stats'])))?.[1]);

describe('a list of jobs', () => {
  it('does not read the bodies of large jobs, and says how large they are', async () => {
    for (let i = 0; i < 10; i += 1) await add(queues.events, 'x'.repeat(2 * MEBIBYTE));
    const before = await sentBytes();
    const jobs = await list(queues.events);
    expect((await sentBytes()) - before).toBeLessThan(100_000);
    expect(jobs.map(({ data }) => data)).toEqual(
      Array.from({ length: 10 }, () => ({ notShown: expect.stringMatching(/^2\.0 MiB in Redis\. Open the job/) })),
    );
    const [job] = jobs;
    expect((await queues.events.getJob(job?.id ?? ''))?.data).toMatchObject({
      events: [{ body: 'x'.repeat(2 * MEBIBYTE) }],
    });
  });

  it('does not show the bodies of jobs that are small only while they are packed', async () => {
    const connection = await aConnection(redis.url);
    const producer = openEventQueue(connection);
    for (const kibibytes of [40, 100]) {
      const body = 'x'.repeat(kibibytes * 1024);
      await producer.add(JOB_NAME, encodeJob({ events: [anEvent(body)], bytes: body.length }), EVENT_JOB_OPTIONS);
    }
    const before = await sentBytes();
    const jobs = await list(queues.events, ['waiting']);
    expect((await sentBytes()) - before).toBeLessThan(10_000);
    expect(jobs.map(({ data }) => data)).toEqual([
      { notShown: expect.stringMatching(/^1 KiB in Redis\. Open the job/) },
      { v: 1, events: [expect.objectContaining({ body: 'x'.repeat(40 * 1024) })] },
    ]);
    expect((await queues.events.getJob(jobs[0]?.id ?? ''))?.data).toMatchObject({
      events: [{ body: 'x'.repeat(100 * 1024) }],
    });
  });

  it('shows a large job as BullMQ does, but for its data, and a small one whole', async () => {
    const consumer = aConsumer({
      redisUrl: redis.url,
      queue: DEAD_LETTER_QUEUE,
      process: () => Promise.reject(new Error('no such type')),
    });
    await add(queues.deadLetters, 'x'.repeat(MEBIBYTE), { attempts: 1, jobId: 'dead-1' });
    await add(queues.deadLetters, 'small', { attempts: 1, jobId: 'dead-2' });
    await waitUntil(async () => (await queues.deadLetters.getFailedCount()) === 2);
    await consumer.close({ timeoutMs: 1000 });
    await add(queues.deadLetters, 'y'.repeat(MEBIBYTE), { delay: 86_400_000, jobId: 'dead-3' });
    const listed = new Map((await list(queues.deadLetters)).map((job) => [job.id, job.toJSON()]));
    const notShown = { notShown: expect.stringMatching(/^1\.0 MiB in Redis/) };
    for (const [id, data] of [
      ['dead-1', notShown],
      ['dead-2', { v: 1, events: [expect.objectContaining({ body: 'small' })] }],
      ['dead-3', notShown],
    ] as const) {
      const whole = (await queues.deadLetters.getJob(id))?.toJSON();
      const shown = listed.get(id);
      expect(shown?.data).toEqual(data);
      for (const field of [
        'name',
        'opts',
        'timestamp',
        'delay',
        'attemptsMade',
        'finishedOn',
        'failedReason',
        'stacktrace',
      ] as const) {
        expect([id, field, shown?.[field]]).toEqual([id, field, whole?.[field]]);
      }
    }
  });
});
