import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { askRedis } from '../../src/redis/ask-redis.ts';
import { makeRoom } from '../../src/redis/redis-memory.ts';
import { startRedis } from '../../src/redis/start-redis.ts';

const MB = 1024 * 1024;

/** Starts a Redis that holds a value of 8 MB. Answers its URL. */
async function startFilled(): Promise<string> {
  const dir = join(await makeTempFolder(), 'redis');
  const redis = await startRedis({ dir, port: 0, args: ['--maxmemory', '64mb'] });
  onTestFinished(() => redis.stop());
  await askRedis(redis.url, [`SETRANGE call ${8 * MB} x`]);
  return redis.url;
}

/** Reads a number of INFO memory, in bytes. */
async function memoryOf(url: string, name: 'maxmemory' | 'used_memory'): Promise<number> {
  const line = (await askRedis(url, ['INFO memory'])).find((each) => each.startsWith(`${name}:`));
  return Number(line?.slice(name.length + 1));
}

const setLimit = (url: string, bytes: number) => askRedis(url, [`CONFIG SET maxmemory ${bytes}`]);

test('leaves the limit of a Redis that has room', async () => {
  const url = await startFilled();
  await makeRoom(url);
  expect(await memoryOf(url, 'maxmemory')).toBe(64 * MB);
});

test.each([
  ['nearly full', 10],
  ['over its limit', 4],
])('gives a Redis that is %s half as much again as it uses', async (_, limitMb) => {
  const url = await startFilled();
  await setLimit(url, limitMb * MB);
  await makeRoom(url);
  const used = await memoryOf(url, 'used_memory');
  const limit = await memoryOf(url, 'maxmemory');
  // Redis' use of memory moves by some kilobytes between two questions.
  expect(Math.abs(limit - used * 1.5)).toBeLessThan(MB);
  expect(await askRedis(url, ['SET other 1'])).toEqual(['+OK', '+OK', '+OK']);
});

test('rejects where Redis refuses to answer, and names the command', async () => {
  const url = new URL(await startFilled());
  url.password = '';
  await expect(makeRoom(url.href)).rejects.toThrow(/^Redis refuses INFO memory: -NOAUTH/);
});

test('rejects where no Redis answers', async () => {
  await expect(makeRoom('redis://127.0.0.1:1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});
