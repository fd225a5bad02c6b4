import { createStore } from '@landline/store';
import { wakeOperations } from '@landline/queue';
import { policyWords } from '@landline/operations';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startApp } from './support/app-process.ts';
import { startPrivatePostgres } from './support/private-postgres.ts';
import { startPrivateRedis } from './support/private-redis.ts';
import { runSql } from './support/run-sql.ts';

/** RETENTION=whole: more events, and the worker that takes over waits until the lease of the killed one has run out. */
const IS_WHOLE = process.env['RETENTION'] === 'whole';
/** Events that are due, and as many that are not. */
const EVENTS = IS_WHOLE ? 300_000 : 30_000;
/** Days of bodies that are due: ten that the test makes, and the two of the samples, which each of the tests' databases has. */
const DAYS = 12;

test('worker, Redis and Postgres are killed while retention runs: it ends, and has deleted what is due and nothing else', async () => {
  const redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
  const postgres = await startPrivatePostgres();
  const sql = (statement: string) => runSql(postgres.directUrl, statement);
  await sql(`INSERT INTO webhook_events (id, event_at, received_at, origin, outcome, body_bytes)
    SELECT gen_random_uuid(), now(), now() - interval '41 days' + i * interval '1 ms', 'webhook', 'applied', 0 FROM generate_series(1, ${EVENTS}) AS i
    UNION ALL
    SELECT gen_random_uuid(), now(), now() - interval '39 days' + i * interval '1 ms', 'webhook', 'applied', 0 FROM generate_series(1, ${EVENTS}) AS i`);
  await sql(`SELECT landline_make_body_partitions(current_date - 20, current_date - 11)`);
  const dueDays = () =>
    sql(`SELECT count(*)::int AS n FROM pg_inherits WHERE inhparent = 'webhook_bodies'::regclass
      AND to_date(right(inhrelid::regclass::text, 8), 'YYYYMMDD') < current_date - 10`);
  expect(await dueDays()).toEqual([{ n: DAYS }]);
  const store = createStore({ databaseUrl: postgres.url, poolSize: 2 });
  onTestFinished(() => store.close());
  const startWorker = async () => {
    const worker = await startApp('worker', { env: { DATABASE_URL: postgres.url, REDIS_URL: redis.url } });
    onTestFinished(async () => void (worker.isRunning() && (await worker.stop())));
    return worker;
  };
  // The schedule's own run has nothing to do: it keeps everything.
  let worker = await startWorker();
  const filter = policyWords({ bodies: 10, events: 40, rejected: 14 });
  const { id } = await store.operations.request({ kind: 'retention', filter });
  await wakeOperations({ redisUrl: redis.url });
  const get = () => store.operations.get(id).catch(() => undefined);
  const goesOn = async () => {
    const from = (await get())?.done ?? 0;
    const isFurther = async () => {
      const now = await get();
      return now !== undefined && (now.finishedAt !== null || now.done > from);
    };
    await vi.waitUntil(isFurther, { timeout: 60_000, interval: 20 });
  };

  await goesOn();
  worker.kill('SIGKILL');
  await worker.exited;
  worker = await startWorker();
  if (!IS_WHOLE) {
    await sql('UPDATE operations SET lease_until = clock_timestamp()');
    await wakeOperations({ redisUrl: redis.url });
  }
  await goesOn();
  await redis.kill();
  await redis.restart();
  await goesOn();
  await postgres.kill();
  await postgres.restart();
  await vi.waitUntil(async () => (await get())?.finishedAt != null, { timeout: 120_000, interval: 50 });
  const ended = await get();
  process.stdout.write(`retention of ${EVENTS} ids, each part killed once: ${JSON.stringify(ended)}\n`);
  expect(ended).toMatchObject({ status: 'done', failed: 0 });
  // What was deleted within the last quarter of a second before a death is not counted.
  expect(ended?.done).toBeGreaterThan(EVENTS / 2);
  expect(ended?.done).toBeLessThanOrEqual(EVENTS + DAYS);
  expect(
    await sql(`SELECT count(*)::int AS n, min(received_at) > now() - interval '40 days' AS young FROM webhook_events`),
  ).toEqual([{ n: EVENTS, young: true }]);
  expect(await dueDays()).toEqual([{ n: 0 }]);
}, 240_000);
