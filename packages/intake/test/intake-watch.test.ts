import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { RedisRefusedError } from '@landline/queue';
import { type PrivateRedis, startPrivateRedis } from '../../../test/support/private-redis.ts';
import { aConsumer } from '../../queue/test/support/a-consumer.ts';
import type { IntakeOptions } from '../src/intake.ts';
import { anIntake, type TestIntake } from './support/an-intake.ts';
import { anEvent } from '../../queue/test/support/an-event.ts';
import { countsOf } from '../../queue/test/support/counts-of.ts';
import { waitUntil } from '../../queue/test/support/wait-until.ts';

/** A body of 10 KB that does not get smaller when it is packed. */
const aBody = (): string => randomBytes(7500).toString('base64');

let redis: PrivateRedis;

afterEach(() => redis.remove());

async function started(args: string[] = [], options: Partial<IntakeOptions> = {}): Promise<TestIntake> {
  redis = await startPrivateRedis(args);
  const intake = anIntake({ redisUrl: redis.url, ...options });
  await intake.start();
  expect([intake.status(), intake.returns(), intake.errors]).toEqual(['ready', 0, []]);
  return intake;
}

/** Enqueues `atOnce` events at a time until one is turned away; answers how many were taken. */
async function fill(intake: TestIntake, atOnce: number): Promise<number> {
  let taken = 0;
  for (;;) {
    const added = await Promise.allSettled(Array.from({ length: atOnce }, () => intake.accept(anEvent(aBody()))));
    const good = added.filter(({ status }) => status === 'fulfilled').length;
    taken += good;
    if (good < atOnce) return taken;
  }
}

describe('an intake whose Redis fills up', () => {
  it.each([
    ['one event at a time', '16mb', 1],
    // What comes at once has to fit into the tenth that is kept free: three jobs, in memory twice while they are written.
    ['events by the hundred', '96mb', 300],
  ])('turns away before Redis is full, so that workers drain it, and comes back: %s', async (_, maxmemory, atOnce) => {
    const intake = await started(['--maxmemory', maxmemory]);
    const taken = await fill(intake, atOnce);
    expect(taken).toBeGreaterThan(500);
    expect(intake.status()).toBe('away');
    await expect(intake.accept(anEvent())).rejects.toMatchObject({
      code: 'queue_unavailable',
      message: expect.stringContaining('CONFIG SET maxmemory'),
    });
    expect(intake.errors.map((error) => error.message)).toEqual([expect.stringContaining('nearly full')]);
    expect(intake.returns()).toBe(0);

    const consumer = aConsumer({ redisUrl: redis.url, concurrency: 4 });
    await waitUntil(() => consumer.jobs.flatMap((job) => job.events).length === taken, { timeoutMs: 60_000 });
    await waitUntil(async () => (await countsOf(consumer)).active === 0);
    expect(consumer.errors).toEqual([]);
    await waitUntil(() => intake.status() === 'ready');
    await intake.accept(anEvent('after'));
    expect(intake.returns()).toBe(1);
    expect(intake.errors).toHaveLength(1);
  });

  it('notices that others fill Redis, starts away on a full one, and comes back when it is given more', async () => {
    const intake = await started();
    await redis.run(['SETRANGE', 'somebody-else', '10000000', 'x']);
    const used = Number(/used_memory:(\d+)/.exec(String(await redis.run(['INFO', 'memory'])))?.[1]);
    await redis.run(['CONFIG', 'SET', 'maxmemory', String(Math.round(used / 0.95))]);
    await waitUntil(() => intake.status() === 'away');
    const late = anIntake({ redisUrl: redis.url });
    await late.start();
    expect(late.status()).toBe('away');
    expect(late.errors.map((error) => error.message)).toEqual([expect.stringContaining('nearly full')]);
    await redis.run(['CONFIG', 'SET', 'maxmemory', '64mb']);
    for (const each of [intake, late]) {
      await waitUntil(() => each.status() === 'ready');
      await waitUntil(() => each.returns() === 1);
    }
  });
});

describe('an intake that watches its Redis', () => {
  it('refuses it within seconds when it may evict, and takes it again when that is put right', async () => {
    const intake = await started();
    await redis.run(['CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru']);
    await waitUntil(() => intake.status() === 'refused');
    expect(intake.errors).toEqual([expect.any(RedisRefusedError)]);
    await expect(intake.accept(anEvent())).rejects.toThrow('CONFIG SET maxmemory-policy noeviction');
    await redis.run(['CONFIG', 'SET', 'maxmemory-policy', 'noeviction']);
    await waitUntil(() => intake.status() === 'ready');
    await intake.accept(anEvent());
    expect(intake.returns()).toBe(1);
  });

  it('notices a frozen Redis before an event does', async () => {
    const intake = await started([], { enqueueTimeoutMs: 1000 });
    redis.freeze();
    await waitUntil(() => intake.status() === 'away');
    redis.thaw();
    await waitUntil(() => intake.status() === 'ready');
    expect(intake.returns()).toBe(1);
  });
});
