import { expect, onTestFinished, test } from 'vitest';
import { NOTHING_LOST, startLineUnderLoad } from './support/line-under-load.ts';
import { runPgBouncer, type PgBouncer } from './support/pgbouncer-process.ts';
import { startPrivateRedis } from './support/private-redis.ts';

/** The short form: `PGBOUNCER=1 npm test` runs all tests behind PgBouncer. */
test('behind PgBouncer with one server connection, PgBouncer and the worker killed under load cost no event', async () => {
  const redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
  let pooler: PgBouncer | undefined;
  const line = await startLineUnderLoad({ REDIS_URL: redis.url }, async (directUrl) => {
    pooler = await runPgBouncer(directUrl, { who: 'everybody', settings: { default_pool_size: 1 } });
    onTestFinished(pooler.stop);
    return pooler.urlOf(directUrl);
  });
  await line.untilMore();
  await pooler?.restart();
  await line.untilMore();
  await line.killWorker();
  await line.untilMore();
  expect(await line.end()).toEqual(NOTHING_LOST);
}, 240_000);
