import { afterEach, describe, expect, it } from 'vitest';
import { startPrivateRedis, type PrivateRedis } from '../../../test/support/private-redis.ts';
import { RedisRefusedError } from '../src/errors.ts';
import { aConsumer } from './support/a-consumer.ts';
import { aProducer, type TestProducer } from './support/a-producer.ts';
import { anEvent } from './support/an-event.ts';
import { waitUntil } from './support/wait-until.ts';

const BODY = 'x'.repeat(10_000);
const SECONDS = { timeoutMs: 5000 };

let redis: PrivateRedis;

afterEach(() => redis.remove());

async function started(args: string[] = []): Promise<TestProducer> {
  redis = await startPrivateRedis(args);
  const producer = aProducer({ redisUrl: redis.url });
  await producer.start();
  expect([producer.status(), producer.returns(), producer.errors]).toEqual(['ready', 0, []]);
  return producer;
}

/** Enqueues `atOnce` events at a time until one is turned away; answers how many were taken. */
async function fill(producer: TestProducer, atOnce: number): Promise<number> {
  let taken = 0;
  for (;;) {
    const added = await Promise.allSettled(Array.from({ length: atOnce }, () => producer.enqueue(anEvent(BODY))));
    const good = added.filter(({ status }) => status === 'fulfilled').length;
    taken += good;
    if (good < atOnce) return taken;
  }
}

describe('a producer whose Redis fills up', () => {
  it.each([
    ['one event at a time', '16mb', 1],
    ['events by the hundred', '64mb', 300],
  ])('turns away before Redis is full, so that workers drain it, and comes back: %s', async (_, maxmemory, atOnce) => {
    const producer = await started(['--maxmemory', maxmemory]);
    const taken = await fill(producer, atOnce);
    expect(taken).toBeGreaterThan(500);
    expect(producer.status()).toBe('away');
    await expect(producer.enqueue(anEvent())).rejects.toMatchObject({
      code: 'queue_unavailable',
      message: expect.stringContaining('CONFIG SET maxmemory'),
    });
    expect(producer.errors.map((error) => error.message)).toEqual([expect.stringContaining('nearly full')]);
    expect(producer.returns()).toBe(0);

    const consumer = aConsumer({ redisUrl: redis.url, concurrency: 4 });
    await waitUntil(() => consumer.jobs.flatMap((job) => job.events).length === taken);
    await waitUntil(async () => (await consumer.counts()).active === 0);
    expect(consumer.errors).toEqual([]);
    await waitUntil(() => producer.status() === 'ready');
    await producer.enqueue(anEvent('after'));
    expect(producer.returns()).toBe(1);
    expect(producer.errors).toHaveLength(1);
  });

  it('notices that others fill Redis, starts away on a full one, and comes back when it is given more', async () => {
    const producer = await started();
    await redis.run(['SETRANGE', 'somebody-else', '10000000', 'x']);
    const used = Number(/used_memory:(\d+)/.exec(String(await redis.run(['INFO', 'memory'])))?.[1]);
    await redis.run(['CONFIG', 'SET', 'maxmemory', String(Math.round(used / 0.95))]);
    await waitUntil(() => producer.status() === 'away', SECONDS);
    const late = aProducer({ redisUrl: redis.url });
    await late.start();
    expect(late.status()).toBe('away');
    expect(late.errors.map((error) => error.message)).toEqual([expect.stringContaining('nearly full')]);
    await redis.run(['CONFIG', 'SET', 'maxmemory', '64mb']);
    for (const each of [producer, late]) {
      await waitUntil(() => each.status() === 'ready', SECONDS);
      await waitUntil(() => each.returns() === 1);
    }
  });
});

describe('a producer that watches its Redis', () => {
  it('refuses it within seconds when it may evict, and takes it again when that is put right', async () => {
    const producer = await started();
    await redis.run(['CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru']);
    await waitUntil(() => producer.status() === 'refused', SECONDS);
    expect(producer.errors).toEqual([expect.any(RedisRefusedError)]);
    await expect(producer.enqueue(anEvent())).rejects.toThrow('CONFIG SET maxmemory-policy noeviction');
    await redis.run(['CONFIG', 'SET', 'maxmemory-policy', 'noeviction']);
    await waitUntil(() => producer.status() === 'ready', SECONDS);
    await producer.enqueue(anEvent());
    expect(producer.returns()).toBe(1);
  });

  it('notices a frozen Redis before an event does', async () => {
    const producer = await started();
    redis.freeze();
    await waitUntil(() => producer.status() === 'away', SECONDS);
    redis.thaw();
    await waitUntil(() => producer.status() === 'ready');
    expect(producer.returns()).toBe(1);
  });
});
