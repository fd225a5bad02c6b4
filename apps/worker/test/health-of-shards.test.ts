import { expect, test } from 'vitest';
import type { Health, Readiness } from '../src/health.ts';
import { healthOfShards } from '../src/health-of-shards.ts';

const READY: Readiness = { status: 'ready', redis: 'ready', postgres: 'ready' };
const WITHOUT_REDIS: Readiness = { status: 'unavailable', redis: 'unavailable', postgres: 'ready' };
const WITHOUT_POSTGRES: Readiness = { status: 'unavailable', redis: 'ready', postgres: 'unavailable' };
const LEAVING: Readiness = { status: 'not consuming', redis: 'unknown', postgres: 'unknown' };

const health = (readiness: Readiness, isLive = true): Health => ({
  isLive: () => Promise.resolve(isLive),
  readiness: () => Promise.resolve(readiness),
});

test('one shard that is stuck is reason enough for a restart', async () => {
  expect(await healthOfShards([health(READY), health(READY)]).isLive()).toBe(true);
  expect(await healthOfShards([health(READY), health(READY, false)]).isLive()).toBe(false);
});

test.each([
  ['one shard answers', [WITHOUT_REDIS, READY], READY],
  ['no shard answers', [WITHOUT_REDIS, WITHOUT_REDIS], WITHOUT_REDIS],
  ['Postgres does not answer', [WITHOUT_REDIS, WITHOUT_POSTGRES], WITHOUT_POSTGRES],
  ['the worker leaves', [LEAVING, LEAVING], LEAVING],
] as const)('where %s', async (_, [one, other], expected) => {
  expect(await healthOfShards([health(one), health(other)]).readiness()).toEqual(expected);
});
