import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { createFitness, type Fitness } from '../../src/redis/fitness.ts';
import { aConnection } from '../support/a-connection.ts';
import { startPrivateRedis, type PrivateRedis } from '../../../../test/support/private-redis.ts';
import { logInAs } from '../support/log-in-as.ts';

let redis: PrivateRedis;
let warnings: string[];
beforeEach(async () => {
  warnings = [];
  redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
});

async function theFitness(url = redis.url, checkIntervalMs = 3_600_000): Promise<Fitness> {
  const connection = await aConnection(url);
  return createFitness({ connection, checkIntervalMs, onWarning: (message) => warnings.push(message) });
}

const set = (name: string, value: string) => redis.run(['CONFIG', 'SET', name, value]);

const memory = (usedBytes: number) => ({ usedBytes, maxBytes: 1000 });

it('makes the whole check first, and then only the memory until the whole is due', async () => {
  const often = await theFitness(redis.url, 0);
  const seldom = await theFitness();
  await seldom.checkNext();
  await often.checkNext();
  expect(warnings).toEqual([]);
  await set('appendfsync', 'no');
  await set('maxmemory', '2gb');
  expect((await seldom.checkNext())?.maxBytes).toBe(2 * 1024 ** 3);
  expect(warnings).toEqual([]);
  expect((await often.checkNext())?.maxBytes).toBe(2 * 1024 ** 3);
  expect(warnings).toEqual([expect.stringContaining('appendfsync "no"')]);
});

it('warns of what the check before did not find, and again when it comes back', async () => {
  const fitness = await theFitness();
  await set('appendfsync', 'no');
  await fitness.checkAll();
  await fitness.checkAll();
  await set('maxmemory', '0');
  await fitness.checkAll();
  await set('appendfsync', 'always');
  await fitness.checkAll();
  await set('appendfsync', 'no');
  await fitness.checkAll();
  const [fsync, limit] = [expect.stringContaining('appendfsync "no"'), expect.stringContaining('maxmemory is 0')];
  expect(warnings).toEqual([fsync, limit, fsync]);
});

it('finds nothing of the memory where INFO is forbidden, and takes it for fit', async () => {
  await redis.run(['ACL', 'SETUSER', 'guest', 'reset', 'on', '>guest', '~*', '&*', '+@all', '-info']);
  const fitness = await theFitness(logInAs(redis.url, 'guest', 'guest'));
  expect(fitness.judge(await fitness.checkAll())).toBeUndefined();
  expect(await fitness.checkNext()).toBeUndefined();
  expect(fitness.countBytes(1e12)).toBe(false);
});

it('judges a full memory as away, one that may evict as refused, and both as refused', async () => {
  const fitness = await theFitness();
  expect(fitness.judge(memory(100))).toBeUndefined();
  expect(fitness.judge(memory(950))).toMatchObject({ status: 'away', cause: { message: /nearly full/ } });
  const refused = { status: 'refused', cause: { code: 'redis_refused', message: 'it may evict' } };
  expect(fitness.judge({ ...memory(100), refused: 'it may evict' })).toMatchObject(refused);
  expect(fitness.judge({ ...memory(950), refused: 'it may evict' })).toMatchObject(refused);
  // It was full meanwhile: there must be more room before it is fit again.
  expect(fitness.judge(memory(870))).toMatchObject({ status: 'away' });
  expect(fitness.judge(memory(840))).toBeUndefined();
});

it('asks for a check when much was written since the last', async () => {
  const fitness = await theFitness();
  fitness.judge(memory(500));
  expect([99, 2].map((bytes) => fitness.countBytes(bytes))).toEqual([false, true]);
});

it('rejects when Redis does not answer, and makes the whole check when it does again', async () => {
  const fitness = await theFitness();
  await redis.kill();
  await expect(fitness.checkNext()).rejects.toThrow(/Stream|closed|ECONN|max retries/);
  await redis.restart();
  await set('appendfsync', 'no');
  await expect.poll(() => fitness.checkNext().catch(() => undefined), { timeout: 20_000 }).toBeDefined();
  expect(warnings).toEqual([expect.stringContaining('appendfsync "no"')]);
});
