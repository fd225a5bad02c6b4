import { beforeEach, expect, it, onTestFinished } from 'vitest';
import type { DeadLetters } from '../../src/jobs/dead-letter.ts';
import { createDeadLetters } from '../../src/shards/dead-letters.ts';
import { startPrivateRedis, type PrivateRedis } from '../../../../test/support/private-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

let redis: PrivateRedis;
beforeEach(async () => {
  redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
});

/** The check of one more process. */
function aCheck(): DeadLetters['check'] {
  const deadLetters = createDeadLetters({ redisUrl: redis.url, prefix: '{test}' });
  onTestFinished(() => deadLetters.close());
  return deadLetters.check;
}

it('is due once for each process, then for none until the time is over', async () => {
  const [one, other] = [aCheck(), aCheck()];
  expect(await one.claim()).toBe(true);
  await one.finish();
  expect(await one.claim()).toBe(false);
  expect(await other.claim()).toBe(true);
  await other.finish();
  expect([await one.claim(), await other.claim()]).toEqual([false, false]);

  const minutes = Number(await redis.run(['TTL', '{test}:letters-checked'])) / 60;
  expect([minutes > 59, minutes <= 60]).toEqual([true, true]);
  await redis.run(['PEXPIRE', '{test}:letters-checked', '1']);
  await waitUntil(async () => (await redis.run(['EXISTS', '{test}:letters-checked'])) === 0);
  expect([await one.claim(), await other.claim()]).toEqual([true, false]);
});

it('is due within the hour also where the clock of Redis was set back by three', async () => {
  const [one, other] = [aCheck(), aCheck()];
  await one.claim();
  await one.finish();
  await other.claim();
  await other.finish();
  await redis.run(['PEXPIRE', '{test}:letters-checked', String(4 * 3_600_000)]);
  expect(await one.claim()).toBe(false);
  expect(Number(await redis.run(['TTL', '{test}:letters-checked']))).toBeLessThanOrEqual(60);
});

it('is due again where Redis was emptied, also while it is under way', async () => {
  const check = aCheck();
  await check.claim();
  expect(await check.extend()).toBe(true);
  await redis.run(['FLUSHALL']);
  expect(await check.extend()).toBe(false);
  await check.finish();
  expect(await check.claim()).toBe(true);
  await check.finish();
  await redis.run(['FLUSHALL']);
  expect(await check.claim()).toBe(true);
});

it('is due again where Redis was started again, though it has lost nothing', async () => {
  const check = aCheck();
  await check.claim();
  await check.finish();
  expect(await check.claim()).toBe(false);
  await redis.restart();
  await waitUntil(() => check.claim().catch(() => false));
  await check.finish();
  expect(await check.claim()).toBe(false);
});

it('is due again where it failed', async () => {
  const check = aCheck();
  await check.claim();
  await check.finish();
  await redis.run(['DEL', '{test}:letters-checked']);
  expect(await check.claim()).toBe(true);
  await check.fail();
  expect(await check.claim()).toBe(true);
});
