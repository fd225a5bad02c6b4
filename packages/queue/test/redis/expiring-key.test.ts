import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { beforeEach, expect, it } from 'vitest';
import { boundExpiries, claimKey } from '../../src/redis/expiring-key.ts';
import { aConnection } from '../support/a-connection.ts';

const HOURS_MS = 3 * 3_600_000;

let connection: Redis;
let key: string;
beforeEach(async () => {
  connection = await aConnection();
  key = `{test-${randomUUID()}}`;
});

it('gives a key to one of many', async () => {
  const claims = ['a', 'b', 'c'].map((value) => claimKey(connection, { key, value, forMs: 60_000 }));
  expect(await Promise.all(claims)).toEqual([true, false, false]);
  expect(await connection.get(key)).toBe('a');
});

it('leaves a key alone that is held for as long as it may be', async () => {
  await connection.set(key, 'held', 'PX', 50_000);
  expect(await claimKey(connection, { key, value: 'late', forMs: 1000, mostMs: 60_000 })).toBe(false);
  expect(await connection.pttl(key)).toBeGreaterThan(1000);
});

it('shortens a key that a clock has made too long, and gives it away after that', async () => {
  await connection.set(key, 'held', 'PX', HOURS_MS);
  expect(await claimKey(connection, { key, value: 'late', forMs: 100 })).toBe(false);
  expect(await connection.pttl(key)).toBeLessThanOrEqual(100);
  await expect.poll(() => claimKey(connection, { key, value: 'late', forMs: 60_000 }), { timeout: 20_000 }).toBe(true);
});

it("shortens the locks of a queue's jobs and its mark of the last search, each to its own limit", async () => {
  const names = ['check', 'a:lock', 'b:lock', 'waits:lock', 'short:lock'];
  for (const name of names)
    await connection.set(`${key}${name}`, '1', 'PX', name === 'short:lock' ? 300_000 : HOURS_MS);
  await connection.rpush(`${key}active`, 'a', 'b', 'short', 'has no lock');
  await boundExpiries(connection, {
    jobPrefix: key,
    stalledCheckKey: `${key}check`,
    stalledCheckMs: 500_000,
    activeKey: `${key}active`,
    lockMs: 1_000_000,
  });
  const left = await Promise.all(names.map((name) => connection.pttl(`${key}${name}`)));
  const ranges = [
    [400_000, 500_000],
    [900_000, 1_000_000],
    [900_000, 1_000_000],
    [HOURS_MS - 60_000, HOURS_MS], // no worker has this job
    [200_000, 300_000], // was short enough
  ] as const;
  expect(ranges.map(([least, most], i) => least < (left[i] ?? NaN) && (left[i] ?? NaN) <= most)).toEqual(
    names.map(() => true),
  );
});
