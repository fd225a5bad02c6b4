import { inspect } from 'node:util';
import { choosePort } from '@landline/local-servers';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { startPrivateRedis, type PrivateRedis } from '../../../test/support/private-redis.ts';
import { createProducerConnection, endConnection } from '../src/connection.ts';
import { QueueUnavailableError, RedisRefusedError } from '../src/errors.ts';
import { aProducer, type TestProducer } from './support/a-producer.ts';
import { anEvent } from './support/an-event.ts';
import { logInAs } from './support/log-in-as.ts';
import { waitUntil } from './support/wait-until.ts';

const TIMEOUT_MS = 1000;
/** What a busy machine may add to a time limit before we call it broken, in ms. */
const SLACK_MS = 1000;

let redis: PrivateRedis;

beforeEach(async () => {
  redis = await startPrivateRedis();
});

afterEach(() => redis.remove());

async function started(): Promise<TestProducer> {
  const producer = aProducer({ redisUrl: redis.url, enqueueTimeoutMs: TIMEOUT_MS });
  await producer.start();
  expect(producer.status()).toBe('ready');
  return producer;
}

/** How long the enqueue of an event took until it was rejected, in ms. */
async function rejectedAfterMs(producer: TestProducer): Promise<number> {
  const begun = performance.now();
  await expect(producer.enqueue(anEvent())).rejects.toThrow(QueueUnavailableError);
  return performance.now() - begun;
}

async function expectRecovery(producer: TestProducer): Promise<void> {
  await waitUntil(() => producer.status() === 'ready');
  await expect(producer.enqueue(anEvent())).resolves.toBeUndefined();
}

describe('a producer whose Redis fails', () => {
  it('starts without Redis, rejects at once, and finds it when it comes', async () => {
    await redis.kill();
    const producer = aProducer({ redisUrl: redis.url, enqueueTimeoutMs: TIMEOUT_MS });
    await producer.start();
    expect(producer.status()).toBe('away');
    expect(await rejectedAfterMs(producer)).toBeLessThan(TIMEOUT_MS / 2);
    await redis.restart();
    await expectRecovery(producer);
  });

  it('rejects at once while Redis is down, tells it once, and recovers by itself', async () => {
    const producer = await started();
    await redis.kill();
    await waitUntil(() => producer.status() === 'away');
    expect(await rejectedAfterMs(producer)).toBeLessThan(TIMEOUT_MS / 2);
    await waitUntil(() => producer.errors.some((error) => error.message.includes('ECONNREFUSED')));
    const told = producer.errors.length;
    await rejectedAfterMs(producer);
    await redis.restart();
    await expectRecovery(producer);
    expect(producer.errors.length).toBe(told);
    expect(new Set(producer.errors.map((error) => error.message)).size).toBe(told);
    expect(producer.returns()).toBe(1);
  });

  it('rejects what is under way when Redis is killed', async () => {
    const producer = await started();
    redis.freeze();
    const added = Array.from({ length: 500 }, () => producer.enqueue(anEvent()));
    const outcomes = Promise.allSettled(added);
    await redis.kill();
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'queue_unavailable' } });
    }
  });

  it('keeps every event that it said was stored when Redis is killed and starts again', async () => {
    const producer = await started();
    const added = Array.from({ length: 200 }, () => producer.enqueue(anEvent()));
    await Promise.all(added);
    await redis.restart();
    await expectRecovery(producer);
    expect(await redis.run(['LLEN', '{landline}:webhook-events:wait'])).toBe(2);
  });

  it('rejects by the time-out while Redis is frozen, then at once, and recovers', async () => {
    const producer = await started();
    redis.freeze();
    expect(await rejectedAfterMs(producer)).toBeLessThan(TIMEOUT_MS + SLACK_MS);
    await waitUntil(() => producer.status() === 'away');
    expect(await rejectedAfterMs(producer)).toBeLessThan(TIMEOUT_MS / 2);
    redis.thaw();
    await expectRecovery(producer);
  });

  it('recovers from a Redis that was frozen for longer than a socket is thought alive', async () => {
    const producer = await started();
    redis.freeze();
    await rejectedAfterMs(producer);
    await waitUntil(() => producer.errors.some((error) => error.message.startsWith('Socket timeout')));
    expect(producer.status()).toBe('away');
    redis.thaw();
    await expectRecovery(producer);
  });

  it('starts within seconds when Redis is frozen', async () => {
    redis.freeze();
    const producer = aProducer({ redisUrl: redis.url, enqueueTimeoutMs: TIMEOUT_MS });
    const begun = performance.now();
    await producer.start();
    expect(performance.now() - begun).toBeLessThan(4000);
    expect(producer.status()).toBe('away');
    redis.thaw();
    await expectRecovery(producer);
  });

  it('rejects while Redis is out of memory, and recovers when there is room', async () => {
    // It may not ask how full Redis is: so it learns it from the refused write.
    await redis.run(['ACL', 'SETUSER', 'guest', 'reset', 'on', '>guest', '~*', '&*', '+@all', '-info']);
    const producer = aProducer({ redisUrl: logInAs(redis.url, 'guest', 'guest'), enqueueTimeoutMs: TIMEOUT_MS });
    await producer.start();
    await redis.run(['CONFIG', 'SET', 'maxmemory', '1']);
    await expect(producer.enqueue(anEvent())).rejects.toMatchObject({
      code: 'queue_unavailable',
      cause: { message: expect.stringContaining('OOM') },
    });
    expect(producer.status()).toBe('away');
    expect(await rejectedAfterMs(producer)).toBeLessThan(TIMEOUT_MS / 2);
    await redis.run(['CONFIG', 'SET', 'maxmemory', '0']);
    await expectRecovery(producer);
  });

  it('rejects while Redis is a replica, and recovers when it is promoted', async () => {
    const producer = await started();
    await redis.run(['REPLICAOF', '127.0.0.1', String(await choosePort(0))]);
    await expect(producer.enqueue(anEvent())).rejects.toMatchObject({
      code: 'queue_unavailable',
      cause: { message: expect.stringContaining('READONLY') },
    });
    await redis.run(['REPLICAOF', 'NO', 'ONE']);
    await expectRecovery(producer);
  });

  it('refuses to start on a Redis that evicts', async () => {
    await redis.run(['CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru']);
    const producer = aProducer({ redisUrl: redis.url });
    await expect(producer.start()).rejects.toThrow(RedisRefusedError);
    expect(producer.status()).toBe('refused');
    await rejectedAfterMs(producer);
  });

  it('refuses a Redis that comes back with another policy, until it is put right', async () => {
    const producer = await started();
    await redis.run(['CONFIG', 'SET', 'maxmemory-policy', 'volatile-ttl']);
    await redis.run(['CLIENT', 'KILL', 'TYPE', 'normal']);
    await waitUntil(() => producer.status() === 'refused');
    await expect(producer.enqueue(anEvent())).rejects.toMatchObject({
      code: 'queue_unavailable',
      message: expect.stringContaining('CONFIG SET maxmemory-policy noeviction'),
    });
    expect(producer.errors.some((error) => error instanceof RedisRefusedError)).toBe(true);
    await redis.run(['CONFIG', 'SET', 'maxmemory-policy', 'noeviction']);
    await expectRecovery(producer);
  });

  it('warns of what a power cut would lose, once for each state', async () => {
    await redis.run(['CONFIG', 'SET', 'appendfsync', 'everysec']);
    const producer = await started();
    await redis.run(['CLIENT', 'KILL', 'TYPE', 'normal']);
    await waitUntil(() => producer.errors.length > 0);
    await expectRecovery(producer);
    expect(producer.warnings).toEqual([expect.stringContaining('CONFIG SET appendfsync always')]);
  });

  it('never shows the password or a body in an error', async () => {
    const producer = aProducer({ redisUrl: logInAs(redis.url, 'hunter2') });
    await producer.start();
    expect(producer.status()).toBe('away');
    const good = aProducer({ redisUrl: redis.url });
    await good.start();
    const connection = createProducerConnection(redis.url, { enqueueTimeoutMs: 1000 });
    onTestFinished(() => endConnection(connection));
    await connection.connect();
    await connection.replicaof('127.0.0.1', await choosePort(0));
    const rejected: unknown = await good.enqueue(anEvent('a secret transcript')).catch((error: unknown) => error);
    expect(rejected).toBeInstanceOf(QueueUnavailableError);
    const shown = inspect([rejected, ...producer.errors, ...good.errors], { depth: 10 });
    expect(shown).toContain('WRONGPASS');
    expect(shown).toContain('READONLY');
    expect(shown).not.toMatch(/hunter2|transcript/);
  });

  it('closes within its time-out while Redis is frozen', async () => {
    const producer = await started();
    redis.freeze();
    const rejected = rejectedAfterMs(producer);
    const begun = performance.now();
    await producer.close();
    expect(performance.now() - begun).toBeLessThan(TIMEOUT_MS + SLACK_MS);
    await rejected;
  });
});
