import type { Queue } from 'bullmq';
import { beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest';
import { createProducerConnection, endConnection } from '../../src/redis/connection.ts';
import { EVENT_JOB_OPTIONS, JOB_NAME } from '../../src/jobs/job-options.ts';
import { retryStalled } from '../../src/consume/retry-stalled.ts';
import { createSuspects } from '../../src/consume/suspects.ts';
import { aConsumer } from '../support/a-consumer.ts';
import { anEvent, ownPrefix } from '../support/an-event.ts';
import { theQueues } from '../support/the-queues.ts';
import { waitUntil } from '../support/wait-until.ts';

const redisUrl = inject('redisUrl');
const MINUTE_MS = 60_000;

let prefix: string;
let queue: Queue;
beforeEach(async () => {
  prefix = ownPrefix();
  queue = (await theQueues(redisUrl, prefix)).events;
});

const add = (body = '{}') => queue.add(JOB_NAME, { v: 1, events: [anEvent(body)] }, EVENT_JOB_OPTIONS);

async function aConnection() {
  const connection = createProducerConnection(redisUrl, { enqueueTimeoutMs: 5000 });
  onTestFinished(() => endConnection(connection));
  await connection.connect();
  return connection;
}

/** Lets a job rest in `failed` as BullMQ leaves one whose workers died eleven times, a while ago. */
async function stallOut(body: string, agoMs: number): Promise<string> {
  const { id = '' } = await add(body);
  const connection = await aConnection();
  const at = Date.now() - agoMs;
  await connection
    .multi()
    .lrem(queue.toKey('wait'), 1, id)
    .zadd(queue.toKey('failed'), at, id)
    .hset(queue.toKey(id), { stc: 11, atm: 1, finishedOn: at, failedReason: 'job stalled more than allowable limit' })
    .exec();
  return id;
}

describe('a job whose workers have died too often', () => {
  it('is done by the next worker that starts, when it has rested for a minute', async () => {
    await stallOut('rested', 61_000);
    await stallOut('rests still', 5_000);
    const consumer = aConsumer({ redisUrl, prefix });
    await waitUntil(
      async () => consumer.jobs.length === 1 && (await queue.getJobCounts('active', 'wait'))['active'] === 0,
    );
    expect(consumer.jobs).toMatchObject([{ attempt: 1, events: [{ body: 'rested' }] }]);
    expect((await queue.getFailed()).map(({ data }) => data.events[0].body)).toEqual(['rests still']);
  });

  it('comes back three times, after longer and longer rests, and then stays for a person', async () => {
    const connection = await aConnection();
    const id = await stallOut('killer', 0);
    const at = Number(await connection.hget(queue.toKey(id), 'finishedOn'));
    const isBackAt = async (now: number) => {
      await retryStalled(connection, queue, { from: 0, now });
      return (await queue.getWaitingCount()) === 1;
    };
    for (const minutes of [1, 15, 60]) {
      expect([minutes, await isBackAt(at + minutes * MINUTE_MS - 1)]).toEqual([minutes, false]);
      expect([minutes, await isBackAt(at + minutes * MINUTE_MS)]).toEqual([minutes, true]);
      expect(await queue.getJob(id)).toMatchObject({ stalledCounter: 2, attemptsMade: 0 });
      await connection
        .multi()
        .lrem(queue.toKey('wait'), 1, id)
        .zadd(queue.toKey('failed'), at, id)
        .hset(queue.toKey(id), { stc: 11, finishedOn: at, failedReason: 'job stalled more than allowable limit' })
        .exec();
    }
    expect(await isBackAt(at + 1e12)).toBe(false);
    expect(await queue.getFailedCount()).toBe(1);
  });

  it('is brought back by one of many workers, found behind others, and those are left alone', async () => {
    const connection = await aConnection();
    await queue.addBulk(
      Array.from({ length: 700 }, (_, i) => ({ name: JOB_NAME, data: { i }, opts: { jobId: `other-${i}` } })),
    );
    const others = (await connection.lrange(queue.toKey('wait'), 0, -1)).flatMap((id) => [1, id]);
    await connection
      .multi()
      .zadd(queue.toKey('failed'), ...others)
      .del(queue.toKey('wait'))
      .exec();
    await stallOut('innocent', 90_000);
    const retryFrom = (from: number) => retryStalled(connection, queue, { from, now: Date.now() });
    expect(await retryFrom(0)).toEqual({ from: 500 });
    expect(await queue.getWaitingCount()).toBe(0);
    const positions = await Promise.all([retryFrom(500), retryFrom(500), retryFrom(500)]);
    expect(positions).toEqual([{ from: 0 }, { from: 0 }, { from: 0 }]);
    expect(await queue.getJobCounts('wait', 'failed')).toEqual({ wait: 1, failed: 700 });
    const [job] = await queue.getWaiting();
    expect(await connection.hget(queue.toKey(job?.id ?? ''), 'comebacks')).toBe('1');
  });
});

describe('jobs that may have killed their workers', () => {
  it('run one at a time, and hold up no others', async () => {
    const suspects = createSuspects(1);
    const { signal } = new AbortController();
    let running = 0;
    let most = 0;
    let done = 0;
    const blocked = new Promise<void>((resolve) => {
      const check = setInterval(() => done === 1 && (clearInterval(check), resolve()), 1);
    });
    const work = async () => {
      running += 1;
      most = Math.max(most, running);
      await blocked;
      running -= 1;
    };
    const all = Array.from({ length: 5 }, () => suspects.run({ stalledCounter: 2 }, work, signal));
    await suspects.run({ stalledCounter: 1 }, async () => void (done += 1), signal);
    await Promise.all(all);
    expect(most).toBe(1);
  });

  it('one that fails lets the next run', async () => {
    const suspects = createSuspects(0);
    const { signal } = new AbortController();
    const failing = suspects.run({ stalledCounter: 9 }, () => Promise.reject(new Error('no')), signal);
    const next = suspects.run({ stalledCounter: 9 }, () => Promise.resolve('done'), signal);
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe('done');
  });
});
