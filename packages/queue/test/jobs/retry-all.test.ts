import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { DEAD_LETTER_QUEUE } from '../../src/names.ts';
import { openQueues, type OpenQueues } from '../../src/jobs/queues.ts';
import { aConsumer } from '../support/a-consumer.ts';
import { anEvent } from '../support/an-event.ts';
import { startPrivateRedis, type PrivateRedis } from '../../../../test/support/private-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

const LETTERS = 5000;

/** Moves all that wait to `failed`, as workers would: it takes them a while. */
const FAIL_ALL = `for i, id in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  redis.call('ZADD', KEYS[2], 1000 + i, id)
  redis.call('HSET', KEYS[3] .. id, 'failedReason', 'no such type', 'finishedOn', 1000 + i, 'atm', 1)
end
return redis.call('DEL', KEYS[1])`;

let redis: PrivateRedis;
let queues: OpenQueues;
let done: object[];
let errors: Error[];

beforeEach(async () => {
  redis = await startPrivateRedis();
  done = [];
  errors = [];
  queues = openQueues({
    redisUrl: redis.url,
    onDone: (moved) => done.push(moved),
    onError: (error) => errors.push(error),
  });
  await queues.ping();
  onTestFinished(async () => {
    await queues.close();
    await redis.remove();
  });
  const { deadLetters } = queues;
  const data = { v: 1, events: [anEvent('{}')] };
  const letters = Array.from({ length: LETTERS }, (_, i) => ({
    name: 'events',
    data,
    opts: { jobId: `dead-${i}`, attempts: 1, removeOnComplete: true },
  }));
  await deadLetters.addBulk(letters);
  await redis.run([
    'EVAL',
    FAIL_ALL,
    '3',
    deadLetters.toKey('wait'),
    deadLetters.toKey('failed'),
    deadLetters.toKey(''),
  ]);
});

const counts = () => queues.deadLetters.getJobCounts('wait', 'failed', 'active');

describe('retry all', () => {
  it('answers at once how many there are, and goes on in the background until all wait again', async () => {
    expect(await queues.retryAll(queues.deadLetters, 'failed')).toBe(LETTERS);
    expect((await counts())['failed']).toBeGreaterThan(0);
    await waitUntil(() => done.length > 0, { timeoutMs: 60_000 });
    expect(await counts()).toEqual({ wait: LETTERS, failed: 0, active: 0 });
    expect(done).toEqual([{ queue: DEAD_LETTER_QUEUE, state: 'failed' }]);
  });

  it('is one at a time, and leaves alone what fails again meanwhile', async () => {
    const consumer = aConsumer({
      redisUrl: redis.url,
      queue: DEAD_LETTER_QUEUE,
      concurrency: 50,
      process: () => Promise.reject(new Error('still no such type')),
    });
    await Promise.all([1, 2, 3].map(() => queues.retryAll(queues.deadLetters, 'failed')));
    await waitUntil(async () => consumer.jobs.length >= LETTERS && (await counts())['failed'] === LETTERS, {
      timeoutMs: 120_000,
    });
    expect(done).toHaveLength(1);
    expect(new Set(consumer.jobs.map(({ id }) => id)).size).toBe(LETTERS);
    expect(consumer.jobs).toHaveLength(LETTERS);
  });

  it('goes on when Redis is back', async () => {
    await queues.retryAll(queues.deadLetters, 'failed');
    await redis.kill();
    await waitUntil(() => errors.length > 0);
    expect(done).toEqual([]);
    await redis.restart();
    await waitUntil(() => done.length > 0, { timeoutMs: 60_000 });
    expect(await counts()).toEqual({ wait: LETTERS, failed: 0, active: 0 });
  });
});
