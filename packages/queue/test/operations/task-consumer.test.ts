import { expect, inject, onTestFinished, test } from 'vitest';
import { createTaskConsumer } from '../../src/operations/task-consumer.ts';
import type { Task } from '../../src/operations/task.ts';
import { wakeOperations } from '../../src/operations/wake-operations.ts';
import { openQueues } from '../../src/jobs/queues.ts';
import { startPrivateRedis } from '../../../../test/support/private-redis.ts';
import { ownPrefix } from '../support/an-event.ts';
import { waitUntil } from '../support/wait-until.ts';

const redisUrl = inject('redisUrl');
const HOUR_MS = 3_600_000;

interface Place {
  redisUrl: string;
  prefix: string;
}

/** A started consumer that is closed when the test ends. */
function aTaskConsumer(place: Place, tasks: Record<string, Task>) {
  const errors: Error[] = [];
  const consumer = createTaskConsumer({ ...place, tasks, onError: (error) => errors.push(error) });
  onTestFinished(() => consumer.close({ timeoutMs: 2_000 }));
  consumer.start();
  return { ...consumer, errors };
}

async function theQueue({ redisUrl: url, prefix }: Place) {
  const queues = openQueues({ redisUrl: url, prefix });
  onTestFinished(() => queues.close());
  await queues.ping();
  return queues.operations;
}

test('a task runs once a tick, however many workers there are', async () => {
  const place = { redisUrl, prefix: ownPrefix() };
  const runs: number[] = [];
  const task: Task = {
    everyMs: 300,
    run: () => {
      runs.push(performance.now());
      return Promise.resolve();
    },
  };
  const workers = [1, 2, 3].map(() => aTaskConsumer(place, { tick: task }));
  await waitUntil(() => runs.length >= 6);
  const [first = 0] = runs;
  const ticks = ((runs.at(-1) ?? 0) - first) / 300;
  // One at the start, whoever made the schedule, and one for each tick.
  expect(runs.length).toBeLessThanOrEqual(ticks + 3);
  expect(workers.flatMap(({ errors }) => errors)).toEqual([]);
});

test('a worker is woken before the next tick', async () => {
  const place = { redisUrl, prefix: ownPrefix() };
  let runs = 0;
  const task: Task = { everyMs: HOUR_MS, run: () => Promise.resolve(void runs++) };
  const { errors } = aTaskConsumer(place, { operations: task });
  await waitUntil(() => runs >= 1);
  const before = runs;
  await wakeOperations(place);
  await waitUntil(() => runs > before);
  expect(errors).toEqual([]);
});

test('one task that lasts keeps no other from its turn', async () => {
  const place = { redisUrl, prefix: ownPrefix() };
  let runs = 0;
  const long: Task = {
    everyMs: HOUR_MS,
    run: (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
  };
  const tasks = { long, short: { everyMs: 200, run: () => Promise.resolve(void runs++) } };
  const { errors } = aTaskConsumer(place, tasks);
  await waitUntil(() => runs >= 4);
  expect(errors).toEqual([]);
});

test('a worker that leaves aborts its task, and another worker is woken for it', async () => {
  const place = { redisUrl, prefix: ownPrefix() };
  const states: string[] = [];
  const lasting = (name: string): Task => ({
    everyMs: HOUR_MS,
    run: (signal) =>
      new Promise((resolve) => {
        states.push(`${name} begins`);
        signal.addEventListener('abort', () => resolve(void states.push(`${name} leaves`)), { once: true });
      }),
  });
  const first = aTaskConsumer(place, { operations: lasting('first') });
  await waitUntil(() => states.length === 1);
  aTaskConsumer(place, { operations: lasting('second') });
  await first.close({ timeoutMs: 5_000 });
  await waitUntil(() => states.includes('second begins'));
  expect(states.slice(0, 2)).toEqual(['first begins', 'first leaves']);
});

test('a task that fails is told of, leaves no job behind, and runs again at the next tick', async () => {
  const place = { redisUrl, prefix: ownPrefix() };
  let runs = 0;
  const { errors } = aTaskConsumer(place, {
    tick: { everyMs: 200, run: () => Promise.reject(new Error(`not now ${Math.min(2, ++runs)}`)) },
  });
  await waitUntil(() => runs >= 3);
  expect(errors.map(({ message }) => message).slice(0, 2)).toEqual(['not now 1', 'not now 2']);
  const counts = await (await theQueue(place)).getJobCounts('failed', 'completed');
  expect(counts).toEqual({ failed: 0, completed: 0 });
});

test('a task of a newer version is left alone', async () => {
  const place = { redisUrl, prefix: ownPrefix() };
  let runs = 0;
  const { errors } = aTaskConsumer(place, { known: { everyMs: 200, run: () => Promise.resolve(void runs++) } });
  const operations = await theQueue(place);
  await operations.add('newer', {}, { removeOnComplete: true });
  await waitUntil(async () => runs >= 2 && (await operations.getJobCountByTypes('wait', 'active')) === 0);
  expect(errors).toEqual([]);
});

test('schedules that Redis has lost are made again', async () => {
  const redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
  const place = { redisUrl: redis.url, prefix: ownPrefix() };
  let runs = 0;
  aTaskConsumer(place, { tick: { everyMs: 500, run: () => Promise.resolve(void runs++) } });
  await waitUntil(() => runs >= 2);
  await redis.run(['FLUSHALL']);
  const before = runs;
  await waitUntil(() => runs >= before + 3, { timeoutMs: 30_000 });
  expect(runs).toBeGreaterThan(before);
});

test('a worker closes in time while Redis is away', async () => {
  const redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
  const consumer = aTaskConsumer(
    { redisUrl: redis.url, prefix: ownPrefix() },
    { tick: { everyMs: 500, run: () => Promise.resolve() } },
  );
  await redis.kill();
  const startedAt = performance.now();
  await consumer.close({ timeoutMs: 3_000 });
  expect(performance.now() - startedAt).toBeLessThan(9_000);
});

test('nobody can be woken while no Redis answers', async () => {
  const redis = await startPrivateRedis();
  await redis.remove();
  await expect(wakeOperations({ redisUrl: redis.url })).rejects.toMatchObject({ code: 'queue_unavailable' });
});
