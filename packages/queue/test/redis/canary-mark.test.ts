import { beforeEach, expect, inject, it, onTestFinished } from 'vitest';
import type { CanaryMark } from '../../src/redis/canary-mark.ts';
import { createCanaryMark } from '../../src/shards/canary-mark.ts';
import { createProducerConnection, endConnection } from '../../src/redis/connection.ts';
import { ownPrefix } from '../support/an-event.ts';
import { startPrivateRedis } from '../../../../test/support/private-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

const redisUrl = inject('redisUrl');
let prefix: string;
beforeEach(() => {
  prefix = ownPrefix();
});

function aMark(url = redisUrl): CanaryMark {
  const mark = createCanaryMark({ redisUrl: url, prefix });
  onTestFinished(() => mark.close());
  return mark;
}

/** Notes it as soon as the mark is connected, and answers what others see then. */
async function noted(mark: CanaryMark, sentAt: number, other: CanaryMark): Promise<void> {
  await waitUntil(async () => {
    await mark.note(sentAt);
    return (await other.newest()) !== undefined;
  });
}

it('knows of none before the first', async () => {
  const mark = aMark();
  expect(await mark.newest()).toBeUndefined();
});

it('shows every process the newest, and an older one that comes late changes nothing', async () => {
  const [worker, receiver, later] = [aMark(), aMark(), aMark()];
  await noted(worker, 1_700_000_000_123, receiver);
  await worker.note(1_700_000_000_122);
  await later.note(5);
  expect(await receiver.newest()).toBe(1_700_000_000_123);
  await waitUntil(async () => {
    await worker.note(1_700_000_000_124);
    return (await receiver.newest()) === 1_700_000_000_124;
  });
});

it("does not stay for ever, and holds the queue's prefix", async () => {
  const [worker, receiver] = [aMark(), aMark()];
  await noted(worker, 1, receiver);
  const connection = createProducerConnection(redisUrl, { enqueueTimeoutMs: 5000 });
  onTestFinished(() => endConnection(connection));
  await connection.connect();
  const [key = '', ...others] = await connection.keys(`${prefix}*`);
  expect(others).toEqual([]);
  expect(await connection.ttl(key)).toBeGreaterThan(24 * 3600);
});

it('keeps what it last read while Redis is frozen or away, or was emptied, and goes on by itself', async () => {
  const redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
  const [worker, receiver] = [aMark(redis.url), aMark(redis.url)];
  await noted(worker, 1000, receiver);
  redis.freeze();
  expect(await receiver.newest()).toBe(1000);
  await worker.note(2000);
  await redis.kill();
  expect(await receiver.newest()).toBe(1000);
  await worker.note(3000);
  await redis.restart();
  await redis.run(['FLUSHALL']);
  // Redis answers again, and has none: that nothing comes through is no less true.
  await waitUntil(async () => (await aMark(redis.url).newest()) === undefined);
  expect(await receiver.newest()).toBe(1000);
  await waitUntil(async () => {
    await worker.note(500);
    return (await receiver.newest()) === 500;
  });
});

it('is cleared for all, at once after it was opened too', async () => {
  const [worker, receiver] = [aMark(), aMark()];
  await noted(worker, 1000, receiver);
  const cleared = async () => {
    await aMark().clear();
    return receiver.newest();
  };
  await expect.poll(cleared, { timeout: 20_000 }).toBeUndefined();
});

it('does not fail where Redis was never there', async () => {
  const mark = aMark('redis://127.0.0.1:1');
  await mark.note(7);
  await mark.clear();
  expect(await mark.newest()).toBeUndefined();
});

it('does not fail where something else stands under its key', async () => {
  const [mark, other] = [aMark(), aMark()];
  await noted(mark, 1, other);
  const connection = createProducerConnection(redisUrl, { enqueueTimeoutMs: 5000 });
  onTestFinished(() => endConnection(connection));
  await connection.connect();
  const [key = ''] = await connection.keys(`${prefix}*`);
  await connection.set(key, 'text');
  await mark.note(2);
  expect(await other.newest()).toBe(1);
});
