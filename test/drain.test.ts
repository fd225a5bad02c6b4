import { openQueues } from '@landline/queue';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { exampleBody } from '../apps/cli/src/example-events.ts';
import { startApp, untilReady } from './support/app-process.ts';
import { createDatabase } from './support/database.ts';
import { post, SECRET } from './support/post.ts';
import { startPrivateRedis } from './support/private-redis.ts';
import { lockTable } from './support/lock-table.ts';
import { openQueryStore } from '../packages/store/test/support/query-store.ts';

async function startPipe() {
  const redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
  const database = await createDatabase(inject('databaseUrl'));
  const store = openQueryStore({ databaseUrl: database.url });
  const queues = openQueues({ redisUrl: redis.url });
  onTestFinished(async () => {
    await Promise.all([queues.close(), store.close()]);
    await database.drop();
  });
  const startWorker = async () => {
    const worker = await startApp('worker', { env: { DATABASE_URL: database.url, REDIS_URL: redis.url } });
    onTestFinished(async () => void (await worker.stop()));
    return worker;
  };
  const receiver = await startApp('receiver', { env: { ELEVENLABS_WEBHOOK_SECRET: SECRET, REDIS_URL: redis.url } });
  onTestFinished(async () => void (await receiver.stop()));
  await untilReady(receiver);
  const recorded = async () => (await store.query('SELECT count(*)::int AS n FROM webhook_events'))[0]?.['n'];
  return { database, queues, receiver, startWorker, recorded };
}

test('SIGTERM in the middle of a backlog: the worker leaves in time, the next one does the rest, nothing fails', async () => {
  const pipe = await startPipe();
  const bodies = Array.from({ length: 2_000 }, (_, i) =>
    exampleBody('live', 'drain', { sequence: i, at: new Date(1_767_225_600_000 + i) }),
  );
  for (let i = 0; i < bodies.length; i += 100) {
    const answers = await Promise.all(bodies.slice(i, i + 100).map((body) => post(pipe.receiver.url, body)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  }
  const worker = await pipe.startWorker();
  await vi.waitUntil(async () => Number(await pipe.recorded()) > 0, { timeout: 20_000, interval: 5 });
  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual([0, null]);
  expect(await pipe.queues.events.getActiveCount()).toBe(0);

  await pipe.startWorker();
  await vi.waitUntil(async () => (await pipe.recorded()) === bodies.length, { timeout: 60_000, interval: 50 });
  expect(await pipe.queues.events.getJobCounts('failed', 'delayed')).toEqual({ failed: 0, delayed: 0 });
});

test('SIGTERM while a transaction is stuck: the worker is gone within ten seconds, and the job is done by the next one', async () => {
  const pipe = await startPipe();
  const worker = await pipe.startWorker();
  const unlock = await lockTable(pipe.database.url, 'conversations');
  expect(
    await post(pipe.receiver.url, exampleBody('live', 'stuck', { sequence: 1, at: new Date(1_767_225_600_000) })),
  ).toMatchObject({
    status: 200,
  });
  await vi.waitUntil(async () => (await pipe.queues.events.getActiveCount()) === 1, { timeout: 20_000, interval: 20 });
  // The worker ends by itself at its own limit, and its exit code says that a job was left.
  expect(await worker.stop()).toEqual([1, null]);
  await unlock();

  await pipe.startWorker();
  await vi.waitUntil(async () => (await pipe.recorded()) === 1, { timeout: 60_000, interval: 50 });
  // The row is there a moment before Redis knows that the job is done.
  await expect
    .poll(() => pipe.queues.events.getJobCounts('failed', 'active', 'waiting'), { timeout: 20_000 })
    .toEqual({ failed: 0, active: 0, waiting: 0 });
});
