import { randomUUID } from 'node:crypto';
import type { Queue } from 'bullmq';
import { beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest';
import type { DeadLetters } from '../../src/jobs/dead-letter.ts';
import { createDeadLetters } from '../../src/shards/dead-letters.ts';
import { QueueUnavailableError } from '../../src/errors.ts';
import { DEAD_LETTER_QUEUE } from '../../src/names.ts';
import { aConsumer } from '../support/a-consumer.ts';
import { A_REFERENCE, anEvent, ownPrefix } from '../support/an-event.ts';
import { HOSTILE_BODIES } from '../support/hostile-bodies.ts';
import { startPrivateRedis } from '../../../../test/support/private-redis.ts';
import { theQueues } from '../support/the-queues.ts';
import { countsOf } from '../support/counts-of.ts';
import { waitUntil } from '../support/wait-until.ts';

const redisUrl = inject('redisUrl');
let prefix: string;
let queue: Queue;
let deadLetters: DeadLetters;

beforeEach(async () => {
  prefix = ownPrefix();
  queue = (await theQueues(redisUrl, prefix)).deadLetters;
  deadLetters = createDeadLetters({ redisUrl, prefix });
  onTestFinished(() => deadLetters.close());
});

describe('createDeadLetters', () => {
  it('adds one job of one event for each dead letter', async () => {
    const letters = HOSTILE_BODIES.map(([, body]) => ({ id: randomUUID(), event: anEvent(body) }));
    await deadLetters.add(letters);
    const jobs = await queue.getWaiting();
    const found = new Map(jobs.map((job) => [job.id, job.data]));
    expect(found).toEqual(new Map(letters.map(({ id, event }) => [`dead-${id}`, { v: 1, events: [event] }])));
  });

  it('adds a dead letter once, however often it is asked to', async () => {
    const letter = { id: randomUUID(), event: anEvent() };
    await Promise.all([deadLetters.add([letter, letter]), deadLetters.add([letter])]);
    expect(await queue.getWaitingCount()).toBe(1);
  });

  it('removes letters that wait or rest in failed, and none that a worker has', async () => {
    const [resting, waiting, other] = [1, 2, 3].map((n) => ({ id: randomUUID(), event: anEvent(`{"n":${n}}`) }));
    if (!resting || !waiting || !other) throw new Error('There are three.');
    const consumer = aConsumer({
      redisUrl,
      prefix,
      queue: DEAD_LETTER_QUEUE,
      process: () => Promise.reject(new Error('not JSON')),
    });
    await deadLetters.add([resting]);
    await waitUntil(async () => (await queue.getFailedCount()) === 1);
    await consumer.close({ timeoutMs: 2000 });
    await deadLetters.add([waiting, other]);
    await deadLetters.remove([resting.id, waiting.id, randomUUID()]);
    expect(await queue.getJobCounts('wait', 'failed')).toEqual({ wait: 1, failed: 0 });
    expect(await deadLetters.missing([resting.id, waiting.id, other.id])).toEqual([resting.id, waiting.id]);
  });

  it('shows the letters that rest, and removes those that are chosen, however many rest', async () => {
    const letters = Array.from({ length: 2_100 }, (_, n) => ({ id: randomUUID(), event: anEvent(`{"n":${n}}`) }));
    const consumer = aConsumer({
      redisUrl,
      prefix,
      queue: DEAD_LETTER_QUEUE,
      concurrency: 50,
      process: () => Promise.reject(new Error('not JSON')),
    });
    const before = Date.now();
    await deadLetters.add(letters);
    await waitUntil(async () => (await queue.getFailedCount()) === letters.length, { timeoutMs: 60_000 });
    await consumer.close({ timeoutMs: 2000 });
    const waiting = { id: randomUUID(), event: anEvent() };
    await deadLetters.add([waiting]);
    const shown: string[] = [];
    const kept = new Set<string>(letters.filter((_, n) => n % 3 === 0).map(({ id }) => id));
    const removed = await deadLetters.sweep((page) => {
      for (const { id, laidAt } of page) {
        shown.push(id);
        expect(laidAt).toBeGreaterThanOrEqual(before);
      }
      return Promise.resolve(page.map(({ id }) => id).filter((id) => !kept.has(id)));
    });
    expect(shown.toSorted()).toEqual(letters.map(({ id }) => id).toSorted());
    expect(removed).toBe(1_400);
    const left = (await queue.getFailed(0, 3_000)).map(({ id }) => id);
    expect(new Set(left)).toEqual(new Set([...kept].map((id) => `dead-${id}`)));
    expect(await queue.getWaitingCount()).toBe(1);
  });

  it('lets a dead letter rest in failed after one try, with its error and stack, and a repeat changes nothing', async () => {
    const letter = { id: randomUUID(), event: anEvent('not json') };
    const consumer = aConsumer({
      redisUrl,
      prefix,
      queue: DEAD_LETTER_QUEUE,
      process: () => Promise.reject(new Error('not JSON')),
    });
    await deadLetters.add([letter]);
    await waitUntil(async () => (await queue.getFailedCount()) === 1);
    await deadLetters.add([letter]);
    expect(await queue.getJobCounts('wait', 'failed', 'active')).toEqual({ wait: 0, failed: 1, active: 0 });
    const [job] = await queue.getFailed();
    expect(job).toMatchObject({ failedReason: 'not JSON', data: { v: 1, events: [letter.event] } });
    expect(job?.stacktrace?.[0]).toContain('dead-letter.test.ts');
    expect(consumer.jobs).toMatchObject([{ attempt: 1, lastAttempt: true }]);
  });

  it('applies a resting dead letter when it is retried after the cause is gone', async () => {
    let fixed = false;
    const consumer = aConsumer({
      redisUrl,
      prefix,
      queue: DEAD_LETTER_QUEUE,
      process: () => (fixed ? Promise.resolve() : Promise.reject(new Error('no such column'))),
    });
    await deadLetters.add([{ id: randomUUID(), event: anEvent() }]);
    const failed = async () => (await queue.getFailedCount()) === 1;
    await waitUntil(failed);
    await (await queue.getFailed())[0]?.retry();
    await waitUntil(async () => consumer.jobs.length === 2 && (await failed()));
    fixed = true;
    await (await queue.getFailed())[0]?.retry();
    await waitUntil(async () => consumer.jobs.length === 3 && (await countsOf(consumer)).active === 0);
    expect(await countsOf(consumer)).toEqual({ waiting: 0, active: 0, delayed: 0, failed: 0 });
    expect(consumer.jobs.map(({ lastAttempt }) => lastAttempt)).toEqual([true, true, true]);
  });

  it('finds which dead letters are missing, in whatever state the others are', async () => {
    const [waiting, resting, none] = [randomUUID(), randomUUID(), randomUUID()];
    const consumer = aConsumer({
      redisUrl,
      prefix,
      queue: DEAD_LETTER_QUEUE,
      process: () => Promise.reject(new Error()),
    });
    await deadLetters.add([{ id: resting, event: anEvent() }]);
    await waitUntil(async () => (await queue.getFailedCount()) === 1);
    await consumer.close({ timeoutMs: 1000 });
    await deadLetters.add([{ id: waiting, event: anEvent() }]);
    expect(await deadLetters.missing([none, waiting, resting])).toEqual([none]);
  });

  it('adds a dead letter with why its event is dead, and its worker gets that', async () => {
    const died = { code: 'type_missing', message: 'The event names no type.', attempts: 3 };
    const letter = { id: randomUUID(), event: anEvent(), died };
    await deadLetters.add([letter]);
    const consumer = aConsumer({ redisUrl, prefix, queue: DEAD_LETTER_QUEUE });
    await waitUntil(() => consumer.jobs.length === 1);
    expect(consumer.jobs).toMatchObject([{ died, attempt: 1, events: [letter.event] }]);
    expect(consumer.jobs[0]?.deadEventId).toBe(letter.id);
  });

  it('adds a dead letter with the reference of its body, and its worker gets that', async () => {
    const letter = { id: A_REFERENCE.eventId, event: { ...anEvent('envelope'), reference: A_REFERENCE } };
    await deadLetters.add([letter]);
    const [job] = await queue.getWaiting();
    expect(job?.data).toEqual({ v: 2, events: [letter.event] });
    const consumer = aConsumer({ redisUrl, prefix, queue: DEAD_LETTER_QUEUE });
    await waitUntil(() => consumer.jobs.length === 1);
    expect(consumer.jobs).toMatchObject([{ deadEventId: A_REFERENCE.eventId, events: [letter.event] }]);
  });

  it('has room for dead letters up to three quarters of the memory', async () => {
    const redis = await startPrivateRedis();
    const full = createDeadLetters({ redisUrl: redis.url });
    onTestFinished(async () => {
      await full.close();
      await redis.remove();
    });
    expect(await full.hasRoom()).toBe(true);
    const used = /used_memory:(\d+)/.exec(String(await redis.run(['INFO', 'memory'])))?.[1];
    await redis.run(['CONFIG', 'SET', 'maxmemory', String(Math.round(Number(used) * 1.2))]);
    expect(await full.hasRoom()).toBe(false);
  });

  it('rejects when Redis is away', async () => {
    const lost = createDeadLetters({ redisUrl: 'redis://127.0.0.1:1', prefix });
    onTestFinished(() => lost.close());
    await expect(lost.add([{ id: randomUUID(), event: anEvent() }])).rejects.toThrow(QueueUnavailableError);
  });
});
