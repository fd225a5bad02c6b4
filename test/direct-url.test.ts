import { expect, onTestFinished, test, vi } from 'vitest';
import { emptyDatabase, loginRole } from '../packages/store/test/support/empty-database.ts';
import { startApp } from './support/app-process.ts';
import { startPgBouncer } from './support/pgbouncer.ts';
import { isReady } from './support/post.ts';
import { startPrivateRedis } from './support/private-redis.ts';
import { runSql } from './support/run-sql.ts';

test('a worker behind a pooler, whose user may make no tables, migrates over DIRECT_URL', async () => {
  const direct = await emptyDatabase('calls');
  const own = await loginRole(direct);
  await runSql(direct, `CREATE SCHEMA calls`);
  await runSql(direct, `GRANT USAGE ON SCHEMA calls TO ${own.role}`);
  await runSql(
    direct,
    `ALTER DEFAULT PRIVILEGES IN SCHEMA calls GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${own.role}`,
  );
  const pooled = await startPgBouncer(own.url, { default_pool_size: 1 });
  const redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
  const worker = await startApp('worker', {
    // Only DATABASE_URL names the schema.
    env: { DATABASE_URL: pooled, DIRECT_URL: direct.replace('?schema=calls', ''), REDIS_URL: redis.url },
  });
  onTestFinished(async () => void (await worker.stop()));
  await vi.waitUntil(() => worker.output().includes('Taking jobs'), { timeout: 30_000 });
  await vi.waitUntil(() => isReady(worker.url), { timeout: 20_000 });
  // The worker uses one connection for transactions, probes and beats.
  const seq = async () => Number((await runSql(direct, 'SELECT seq FROM calls.landline_beat'))[0]?.['seq']);
  await vi.waitUntil(async () => (await seq()) > 1, { timeout: 20_000, interval: 100 });
  expect(worker.output()).not.toContain('not ready, trying again');
});
