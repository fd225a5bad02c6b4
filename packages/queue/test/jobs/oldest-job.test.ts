import { beforeEach, expect, inject, it, onTestFinished } from 'vitest';
import { createProducerConnection, endConnection } from '../../src/redis/connection.ts';
import { WEBHOOK_QUEUE } from '../../src/names.ts';
import { oldestJobAt } from '../../src/jobs/oldest-job.ts';
import { openQueue } from '../../src/jobs/open-queue.ts';
import { ownPrefix } from '../support/an-event.ts';

const DAY_MS = 86_400_000;
const OLD = 1_767_225_600_000;

async function aQueue() {
  const connection = createProducerConnection(inject('redisUrl'), { enqueueTimeoutMs: 5000 });
  onTestFinished(() => endConnection(connection));
  await connection.connect();
  const queue = openQueue(WEBHOOK_QUEUE, connection, ownPrefix());
  const add = (timestamp: number, options: object = {}) => queue.add('job', {}, { timestamp, ...options });
  return { add, oldest: () => oldestJobAt(connection, queue), queue };
}

let line: Awaited<ReturnType<typeof aQueue>>;
beforeEach(async () => {
  line = await aQueue();
});

it('finds the oldest of all states, wherever it lies', async () => {
  expect(await line.oldest()).toBe(Infinity);
  await line.add(OLD + DAY_MS);
  await line.add(OLD + 2 * DAY_MS);
  expect(await line.oldest()).toBe(OLD + DAY_MS);
  // As one that was handed back: it waits at the end where the newest are.
  await line.add(OLD);
  expect(await line.oldest()).toBe(OLD);
  await line.add(OLD - 1, { delay: DAY_MS });
  expect(await line.oldest()).toBe(OLD - 1);
});

it('does not guess where there are too many to examine', async () => {
  await line.queue.addBulk(Array.from({ length: 600 }, () => ({ name: 'job', data: {}, opts: { timestamp: OLD } })));
  expect(await line.oldest()).toBeUndefined();
});
