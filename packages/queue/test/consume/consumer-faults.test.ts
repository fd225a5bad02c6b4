import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { QueueUnavailableError } from '../../src/errors.ts';
import { aConsumer } from '../support/a-consumer.ts';
import { aShard } from '../support/a-shard.ts';
import { anEvent } from '../support/an-event.ts';
import { countsOf } from '../support/counts-of.ts';
import { startPrivateRedis, type PrivateRedis } from '../../../../test/support/private-redis.ts';
import { untilAnswered, waitUntil } from '../support/wait-until.ts';

let redis: PrivateRedis;

beforeEach(async () => {
  redis = await startPrivateRedis();
});

afterEach(() => redis.remove());

async function enqueueOne(): Promise<void> {
  const shard = await aShard({ redisUrl: redis.url });
  await shard.add([anEvent()], 100);
}

describe('a consumer whose Redis fails', () => {
  it('starts without Redis and takes jobs when it comes', async () => {
    await redis.kill();
    const consumer = aConsumer({ redisUrl: redis.url });
    await waitUntil(() => consumer.errors.length > 0);
    await expect(consumer.ping()).rejects.toThrow(QueueUnavailableError);
    await expect(consumer.counts()).rejects.toThrow(QueueUnavailableError);
    await redis.restart();
    await enqueueOne();
    await waitUntil(() => consumer.jobs.length === 1);
    // The connection for questions may be back a moment after the worker's.
    await untilAnswered(() => consumer.ping());
  });

  it('goes on when Redis is killed and starts again, idle', async () => {
    const consumer = aConsumer({ redisUrl: redis.url });
    await enqueueOne();
    await waitUntil(() => consumer.jobs.length === 1);
    await redis.restart();
    await enqueueOne();
    await waitUntil(() => consumer.jobs.length === 2);
    expect(new Set(consumer.errors.map((error) => error.message)).size).toBe(consumer.errors.length);
  });

  it('finishes a job during which Redis was killed and started again', async () => {
    const release = new AbortController();
    const consumer = aConsumer({
      redisUrl: redis.url,
      process: async () => void (await once(release.signal, 'abort')),
    });
    await enqueueOne();
    await waitUntil(() => consumer.jobs.length === 1);
    await redis.kill();
    release.abort();
    await redis.restart();
    await waitUntil(async () => {
      const { active, waiting, failed } = await countsOf(consumer);
      return active + waiting + failed === 0;
    });
    expect(consumer.jobs).toHaveLength(1);
  });

  it('takes jobs again after Redis was frozen', { timeout: 60_000 }, async () => {
    const consumer = aConsumer({ redisUrl: redis.url });
    await consumer.ping();
    redis.freeze();
    await expect(consumer.ping()).rejects.toThrow(QueueUnavailableError);
    // Idle, it reads for 5 s, and waits a second more before it takes the connection for dead.
    await waitUntil(() => consumer.errors.length > 0, { timeoutMs: 30_000 });
    redis.thaw();
    await enqueueOne();
    await waitUntil(() => consumer.jobs.length === 1);
    expect(consumer.jobs).toHaveLength(1);
  });
});
