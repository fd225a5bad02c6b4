import { createIntake } from '@landline/intake';
import { createConsumer, WEBHOOK_QUEUE, type Consumer } from '@landline/queue';
import { expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { startPrivateRedis } from '../../../test/support/private-redis.ts';
import { startTcpProxy } from '../../../test/support/tcp-proxy.ts';
import { createHealth } from '../src/health.ts';
import { message } from './support/work.ts';

const WEDGED_AFTER_MS = 500;

/** A Redis behind a proxy, a consumer that reaches it that way, and the health that judges the consumer. */
async function consume(process: () => Promise<void> = async () => {}) {
  const redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
  const proxy = await startTcpProxy(redis.url);
  onTestFinished(() => proxy.close());
  const consumer = createConsumer({ redisUrl: proxy.url, queue: WEBHOOK_QUEUE, concurrency: 2, process });
  onTestFinished(() => consumer.close({ timeoutMs: 500 }));
  const intake = createIntake({
    redisUrl: redis.url,
    batchMaxEvents: 1,
    batchMaxBytes: 1024,
    enqueueTimeoutMs: 5_000,
  });
  onTestFinished(() => intake.close());
  await intake.start();
  const health = createHealth({
    consumer,
    store: { ping: async () => {} },
    isWaiting: () => false,
    isConsuming: () => true,
    now: Date.now,
    wedgedAfterMs: WEDGED_AFTER_MS,
  });
  return { redis, proxy, consumer, health, send: (id: string) => intake.accept(message(id)) };
}

const isDone = async (consumer: Consumer) => {
  const counts = await consumer.counts().catch(() => undefined);
  return counts !== undefined && counts.waiting + counts.active === 0;
};

test('a worker whose blocking read is dead fails its liveness until it has a new one', async () => {
  const { redis, proxy, consumer, health, send } = await consume();
  proxy.after('bzpopmin', 'freeze');
  consumer.start();
  // A job that comes before the read would be taken without one.
  await vi.waitUntil(async () => /blocked_clients:1/.test(String(await redis.run(['INFO', 'clients']))), {
    timeout: 20_000,
  });
  expect(await health.isLive()).toBe(true);
  await send('a');
  await vi.waitUntil(async () => !(await health.isLive()), { timeout: 20_000, interval: 20 });
  // A read that brings nothing in its time is given up.
  await vi.waitUntil(() => isDone(consumer), { timeout: 20_000 });
  expect(await health.isLive()).toBe(true);
});

test('a worker that runs on without its lock fails its liveness, though others do the work', async () => {
  let runs = 0;
  const { redis, consumer, health, send } = await consume(() =>
    runs++ === 0 ? new Promise(() => {}) : Promise.resolve(),
  );
  consumer.start();
  await send('a');
  await vi.waitUntil(() => runs === 1, { timeout: 20_000 });
  const [lock] = z.array(z.string()).parse(await redis.run(['KEYS', '*:lock']));
  await redis.run(['DEL', lock ?? '']);
  await vi.waitUntil(() => isDone(consumer), { timeout: 25_000 });
  await vi.waitUntil(async () => !(await health.isLive()), { timeout: 20_000 });
  expect(consumer.lockLostAt()).toBeLessThan(Date.now());
});

test('a worker whose Redis is away for a moment is live all the while', async () => {
  const { redis, consumer, health, send } = await consume();
  consumer.start();
  await send('a');
  await vi.waitUntil(() => isDone(consumer), { timeout: 20_000 });
  await send('b');
  redis.freeze();
  const frozenAt = Date.now();
  do expect(await health.isLive()).toBe(true);
  while (Date.now() - frozenAt < 4 * WEDGED_AFTER_MS);
  expect(await health.readiness()).toMatchObject({ status: 'unavailable', redis: 'unavailable' });
  redis.thaw();
  await vi.waitUntil(() => isDone(consumer), { timeout: 20_000 });
  expect(await health.isLive()).toBe(true);
});

test('a job that comes this instant after a long rest is no sign of a wedged worker', async () => {
  let waiting = 0;
  const counts = async () => ({ waiting, active: 0, delayed: 0, failed: 0 });
  const health = createHealth({
    consumer: { counts, isQueuePaused: async () => false, ping: async () => {}, lastConsumedAt: () => 0 },
    store: { ping: async () => {} },
    isWaiting: () => false,
    isConsuming: () => true,
    now: () => now,
    wedgedAfterMs: WEDGED_AFTER_MS,
  });
  let now = 3_600_000;
  expect(await health.isLive()).toBe(true);
  waiting = 1;
  now += 10_000;
  expect(await health.isLive()).toBe(true);
  now += WEDGED_AFTER_MS;
  expect(await health.isLive()).toBe(false);
});
