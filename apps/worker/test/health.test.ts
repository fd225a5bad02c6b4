import { createIntake } from '@landline/intake';
import { createConsumer, WEBHOOK_QUEUE } from '@landline/queue';
import { randomUUID } from 'node:crypto';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { createHealth, type HealthOptions } from '../src/health.ts';
import { message } from './support/work.ts';

/** A busy machine's Redis may take longer than the second that health gives it, once. */
const WITHIN = { timeout: 20_000 };

const CONSUMING = { isWaiting: () => false, isConsuming: () => true, now: Date.now, wedgedAfterMs: 200 };

/** A consumer of one job at a time, with jobs waiting for it, and health that judges it. */
async function consume(process: () => Promise<void>, options: Partial<HealthOptions> = {}) {
  const redisUrl = inject('redisUrl');
  const prefix = `{${randomUUID()}}`;
  const intake = createIntake({
    redisUrl,
    prefix,
    batchMaxEvents: 1,
    batchMaxBytes: 1024,
    enqueueTimeoutMs: 5_000,
  });
  const consumer = createConsumer({ redisUrl, prefix, queue: WEBHOOK_QUEUE, concurrency: 1, process });
  onTestFinished(() => consumer.close({ timeoutMs: 500 }));
  await intake.start();
  await Promise.all([intake.accept(message('a')), intake.accept(message('b')), intake.accept(message('c'))]);
  await intake.close();
  consumer.start();
  return { consumer, health: createHealth({ consumer, store: { ping: async () => {} }, ...CONSUMING, ...options }) };
}

test('a worker that consumes is live and ready, also when it is long done', async () => {
  const { consumer, health } = await consume(async () => {});
  await expect.poll(async () => (await consumer.counts()).waiting, WITHIN).toBe(0);
  await vi.waitUntil(() => Date.now() - consumer.lastConsumedAt() > CONSUMING.wedgedAfterMs, { timeout: 20_000 });
  expect(await health.isLive()).toBe(true);
  await expect.poll(() => health.readiness(), WITHIN).toEqual({ status: 'ready', redis: 'ready', postgres: 'ready' });
});

test('a wedged worker fails its liveness: jobs wait and none moves', async () => {
  const { health } = await consume(() => new Promise(() => {}));
  expect(await health.isLive()).toBe(true);
  await vi.waitUntil(async () => !(await health.isLive()), { timeout: 20_000 });
});

test('a worker is live, however long jobs wait, while the queue is paused by hand', async () => {
  const { consumer, health } = await consume(async () => {}, {
    consumer: {
      counts: async () => ({ waiting: 1, active: 0, delayed: 0, failed: 0 }),
      isQueuePaused: async () => true,
      ping: async () => {},
      lastConsumedAt: () => 0,
    },
  });
  expect(await health.isLive()).toBe(true);
  await vi.waitUntil(() => Date.now() - consumer.lastConsumedAt() > CONSUMING.wedgedAfterMs, { timeout: 20_000 });
  expect(await health.isLive()).toBe(true);
});

test('a worker that knowingly waits for the database is live, and not ready', async () => {
  const { consumer, health } = await consume(() => new Promise(() => {}), { isWaiting: () => true });
  await vi.waitUntil(() => Date.now() - consumer.lastConsumedAt() > CONSUMING.wedgedAfterMs, { timeout: 20_000 });
  expect(await health.isLive()).toBe(true);
  await expect
    .poll(() => health.readiness(), WITHIN)
    .toEqual({ status: 'unavailable', redis: 'ready', postgres: 'unavailable' });
});

test('is not ready while Postgres or Redis does not answer, and says which', async () => {
  const { health } = await consume(async () => {}, { store: { ping: gone } });
  await expect
    .poll(() => health.readiness(), WITHIN)
    .toEqual({ status: 'unavailable', redis: 'ready', postgres: 'unavailable' });
  const consumer = { counts: gone, isQueuePaused: gone, ping: gone, lastConsumedAt: () => 0 };
  const lost = createHealth({ consumer, store: { ping: async () => {} }, ...CONSUMING });
  expect(await lost.readiness()).toEqual({ status: 'unavailable', redis: 'unavailable', postgres: 'ready' });
  expect(await lost.isLive()).toBe(true);
});

test('is not ready, and asks nobody, while it takes no jobs', async () => {
  const { health } = await consume(async () => {}, { isConsuming: () => false, store: { ping: silent } });
  expect(await health.readiness()).toEqual({ status: 'not consuming', redis: 'unknown', postgres: 'unknown' });
});

test('is not ready while Postgres hangs, and says so', async () => {
  const { health } = await consume(async () => {}, { store: { ping: silent } });
  await expect
    .poll(() => health.readiness(), WITHIN)
    .toEqual({ status: 'unavailable', redis: 'ready', postgres: 'unavailable' });
});

function silent(): Promise<never> {
  return new Promise(() => {});
}

async function gone(): Promise<never> {
  throw new Error('gone');
}
