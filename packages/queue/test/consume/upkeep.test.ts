import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { createUpkeep } from '../../src/consume/upkeep.ts';
import { JOB_NAME } from '../../src/jobs/job-options.ts';
import { openQueue } from '../../src/jobs/open-queue.ts';
import { DEAD_LETTER_QUEUE, WEBHOOK_QUEUE } from '../../src/names.ts';
import { aConnection } from '../support/a-connection.ts';
import { ownPrefix } from '../support/an-event.ts';
import { waitUntil } from '../support/wait-until.ts';

const HOURS_MS = 3 * 3_600_000;

let connection: Redis;
let errors: unknown[];
beforeEach(async () => {
  connection = await aConnection();
  errors = [];
});

function anUpkeep(queue: Queue<unknown>, connected = Promise.resolve()) {
  const upkeep = createUpkeep({ connection, connected, queue, report: (error) => errors.push(error) });
  onTestFinished(() => upkeep.stop());
  return upkeep;
}

/** Lets a job rest in `failed`, whose workers died too often a while ago. */
async function stallOut(queue: Queue<unknown>): Promise<void> {
  const { id = '' } = await queue.add(JOB_NAME, {});
  const at = Date.now() - 61_000;
  await connection
    .multi()
    .lrem(queue.toKey('wait'), 1, id)
    .zadd(queue.toKey('failed'), at, id)
    .hset(queue.toKey(id), { stc: 11, finishedOn: at, failedReason: 'job stalled more than allowable limit' })
    .exec();
}

it('shortens what a clock has made too long, once the connection was tried, and again at intervals', async () => {
  const queue = openQueue(WEBHOOK_QUEUE, connection, ownPrefix());
  const key = queue.toKey('stalled-check');
  const lengthen = () => connection.set(key, '1', 'PX', HOURS_MS);
  await lengthen();
  let tried!: () => void;
  const upkeep = anUpkeep(queue, new Promise((resolve) => (tried = resolve)));
  upkeep.start();
  await connection.ping();
  expect(await connection.pttl(key)).toBeGreaterThan(HOURS_MS / 2);
  tried();
  await waitUntil(async () => (await connection.pttl(key)) <= 5000);
  await lengthen();
  await waitUntil(async () => (await connection.pttl(key)) <= 5000);
  expect(errors).toEqual([]);
});

it('retries jobs whose workers died too often, but no dead letters', async () => {
  const prefix = ownPrefix();
  const deadLetters = openQueue(DEAD_LETTER_QUEUE, connection, prefix);
  const events = openQueue(WEBHOOK_QUEUE, connection, prefix);
  await stallOut(deadLetters);
  await stallOut(events);
  // They ask in turn on one connection: the dead letter would be back first.
  for (const queue of [deadLetters, events]) anUpkeep(queue).start();
  await waitUntil(async () => (await events.getWaitingCount()) === 1);
  expect(await events.getFailedCount()).toBe(0);
  expect(await deadLetters.getJobCounts('wait', 'failed')).toEqual({ wait: 0, failed: 1 });
});

it('reports what Redis did not do, and goes on', async () => {
  const queue = openQueue(WEBHOOK_QUEUE, connection, ownPrefix());
  const key = queue.toKey('failed');
  await connection.set(key, 'something else stands here');
  const upkeep = anUpkeep(queue);
  upkeep.start();
  await waitUntil(() => errors.length > 0);
  expect(String(errors[0])).toContain('WRONGTYPE');
  await connection.del(key);
  await stallOut(queue);
  upkeep.start();
  await waitUntil(async () => (await queue.getWaitingCount()) === 1);
});
