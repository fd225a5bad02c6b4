import { createStore, hashSubject } from '@landline/store';
import { ERASE, erasureWords } from '@landline/operations';
import { wakeOperations } from '@landline/queue';
import { expect, onTestFinished, test, vi } from 'vitest';
import { dump, eventsOfCall, PERSON, TRACES } from '../packages/store/test/support/a-person.ts';
import { startApp } from './support/app-process.ts';
import { lockRows } from './support/lock-table.ts';
import { startPrivatePostgres } from './support/private-postgres.ts';
import { startPrivateRedis } from './support/private-redis.ts';
import { runSql } from './support/run-sql.ts';

/** ERASE=whole: more calls, and the worker that takes over waits until the lease of the killed one has run out. */
const IS_WHOLE = process.env['ERASE'] === 'whole';
/** Calls of one person. */
const CALLS = IS_WHOLE ? 6_000 : 900;
const BATCH = 100;

test(`worker, Redis and Postgres are killed while ${CALLS} calls of a person are erased: nothing stays`, async () => {
  const redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
  const postgres = await startPrivatePostgres();
  const sql = (statement: string) => runSql(postgres.directUrl, statement);
  const store = createStore({ databaseUrl: postgres.url, poolSize: 2 });
  onTestFinished(() => store.close());
  for (let at = 0; at < CALLS; at += BATCH) {
    const calls = Array.from({ length: BATCH }, (_, i) => `c${at + i}`);
    // oxlint-disable-next-line no-await-in-loop -- one transaction after the other
    await store.apply(calls.flatMap((id) => eventsOfCall(id).filter(({ entry }) => entry.type !== 'post_call_audio')));
  }
  // The erasure begins with the newest calls. It does not come to the oldest one before the worker was killed.
  await sql(`UPDATE conversations SET started_at = '2020-01-01' WHERE id = 'c0'`);
  const unlock = await lockRows(postgres.directUrl, `conversations WHERE id = 'c0'`);
  const startWorker = async () => {
    const worker = await startApp('worker', { env: { DATABASE_URL: postgres.url, REDIS_URL: redis.url } });
    onTestFinished(async () => void (worker.isRunning() && (await worker.stop())));
    return worker;
  };
  let worker = await startWorker();
  const subject = { by: 'user', value: PERSON.user } as const;
  const filter = erasureWords({ subject, hash: await hashSubject(subject), journalHours: 24 });
  const { id } = await store.operations.request({ kind: ERASE, filter, total: CALLS });
  await wakeOperations({ redisUrl: redis.url });
  const get = () => store.operations.get(id).catch(() => undefined);
  /** Waits until so many calls are forgotten. */
  const goesOn = (calls: number) =>
    vi.waitUntil(
      async () => {
        const now = await get();
        return now !== undefined && (now.finishedAt !== null || now.done >= calls);
      },
      { timeout: 120_000, interval: 20 },
    );

  await goesOn(CALLS / 6);
  worker.kill('SIGKILL');
  await worker.exited;
  await unlock();
  worker = await startWorker();
  if (!IS_WHOLE) {
    await sql(`UPDATE operations SET lease_until = clock_timestamp() WHERE status = 'running'`);
    await wakeOperations({ redisUrl: redis.url });
  }
  await goesOn(CALLS / 3);
  await redis.kill();
  await redis.restart();
  await goesOn(CALLS / 2);
  await postgres.kill();
  await postgres.restart();
  await vi.waitUntil(async () => (await get())?.finishedAt != null, { timeout: 240_000, interval: 100 });
  const ended = await get();
  process.stdout.write(`erasure of ${CALLS} calls, each part killed once: ${JSON.stringify(ended)}\n`);
  expect(ended).toMatchObject({ status: 'done', checkpoint: null });
  expect(ended?.fence).toBeGreaterThan(1);
  const text = await dump({ sql });
  expect(TRACES.filter((trace) => text.includes(trace))).toEqual([]);
  expect(await sql(`SELECT count(*)::int AS n FROM conversations WHERE erased_at IS NOT NULL`)).toEqual([{ n: CALLS }]);
}, 600_000);
