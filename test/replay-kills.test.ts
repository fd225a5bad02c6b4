import { createStore } from '@landline/store';
import { wakeOperations } from '@landline/queue';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startApp } from './support/app-process.ts';
import { countEffects, REPEATED } from './support/count-effects.ts';
import { fillWithDead } from './support/dead-ledger.ts';
import { startPrivatePostgres } from './support/private-postgres.ts';
import { startPrivateRedis } from './support/private-redis.ts';
import { runSql } from './support/run-sql.ts';

/** REPLAY=whole: as many events as the promise names, each fault several times. */
const IS_WHOLE = process.env['REPLAY'] === 'whole';
const EVENTS = IS_WHOLE ? 100_000 : 4_000;
const RATE = IS_WHOLE ? 2_000 : 500;
const ROUNDS = IS_WHOLE ? 4 : 1;

/** A line of processes with dead events in its ledger. */
async function aLine() {
  const redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
  const postgres = await startPrivatePostgres();
  await fillWithDead(postgres.url, EVENTS);
  const sql = (statement: string) => runSql(postgres.directUrl, statement);
  await countEffects(sql);
  const store = createStore({ databaseUrl: postgres.url, poolSize: 2 });
  onTestFinished(() => store.close());
  const startWorker = async () => {
    const worker = await startApp('worker', { env: { DATABASE_URL: postgres.url, REDIS_URL: redis.url } });
    onTestFinished(async () => void (worker.isRunning() && (await worker.stop())));
    return worker;
  };
  return { redis, postgres, sql, store, startWorker };
}

test(
  'worker, Redis and Postgres are killed while a replay runs: it ends, with every event applied once',
  async () => {
    const { redis, postgres, sql, store, startWorker } = await aLine();
    let worker = await startWorker();
    const { id } = await store.operations.request({ kind: 'replay', filter: { outcome: 'dead' }, rate: RATE });
    await wakeOperations({ redisUrl: redis.url });
    const get = () => store.operations.get(id).catch(() => undefined);
    /** Waits until so much more is through. */
    const goesOn = async (events: number) => {
      const from = (await get())?.done ?? 0;
      const isFurther = async () => {
        const now = await get();
        return now !== undefined && (now.finishedAt !== null || now.done >= from + events);
      };
      await vi.waitUntil(isFurther, { timeout: 60_000, interval: 50 });
    };

    for (let round = 0; round < ROUNDS; round++) {
      await goesOn(EVENTS / 10 / ROUNDS);
      worker.kill('SIGKILL');
      await worker.exited;
      worker = await startWorker();
      await goesOn(EVENTS / 10 / ROUNDS);
      await redis.kill();
      await redis.restart();
      await goesOn(EVENTS / 10 / ROUNDS);
      await postgres.kill();
      await postgres.restart();
      await goesOn(EVENTS / 10 / ROUNDS);
    }
    const isDone = async () => (await get())?.finishedAt != null;
    await vi.waitUntil(isDone, { timeout: 120_000, interval: 100 });
    const ended = await get();
    process.stdout.write(`replay of ${EVENTS} events, each part killed ${ROUNDS} times: ${JSON.stringify(ended)}\n`);
    expect(ended).toMatchObject({ status: 'done', total: EVENTS, done: EVENTS, failed: 0 });
    expect(await sql('SELECT outcome, count(*)::int AS n FROM webhook_events GROUP BY outcome')).toEqual([
      { outcome: 'applied', n: EVENTS },
    ]);
    expect(await sql('SELECT count(*)::int AS n FROM conversation_messages')).toEqual([{ n: EVENTS }]);
    expect(await sql(REPEATED)).toEqual([]);
  },
  IS_WHOLE ? 900_000 : 240_000,
);

test(`${EVENTS} dead events are replayed at the rate that is asked for, and a replay is cancelled within a second`, async () => {
  const { redis, sql, store, startWorker } = await aLine();
  await startWorker();
  const replay = async () => {
    const { id } = await store.operations.request({ kind: 'replay', filter: {}, rate: RATE });
    await wakeOperations({ redisUrl: redis.url });
    return { id, get: () => store.operations.get(id) };
  };
  const first = await replay();
  await vi.waitUntil(async () => ((await first.get())?.done ?? 0) > EVENTS / 20, { timeout: 60_000, interval: 50 });
  const cancelledAt = performance.now();
  await store.operations.cancel(first.id);
  await vi.waitUntil(async () => (await first.get())?.status === 'cancelled', { timeout: 10_000, interval: 20 });
  const cancelMs = performance.now() - cancelledAt;

  await sql(`UPDATE webhook_events SET outcome = 'dead', error = '{"code":"x"}', applied_at = NULL`);
  const second = await replay();
  const isDone = async () => (await second.get())?.finishedAt != null;
  await vi.waitUntil(isDone, { timeout: 600_000, interval: 50 });
  const ended = await second.get();
  const seconds = ((ended?.finishedAt ?? 0) - (ended?.startedAt ?? 0)) / 1000;
  process.stdout.write(
    `replay of ${EVENTS} dead events at ${RATE} a second: ${seconds.toFixed(1)} s; cancelled in ${Math.round(cancelMs)} ms\n`,
  );
  expect(ended).toMatchObject({ status: 'done', done: EVENTS, failed: 0 });
  expect(cancelMs).toBeLessThan(IS_WHOLE ? 1_000 : 3_000);
  expect(seconds).toBeGreaterThanOrEqual((EVENTS / RATE) * 0.98);
  // A busy machine may be slower.
  expect(seconds).toBeLessThan((EVENTS / RATE) * (IS_WHOLE ? 1.1 : 4));
}, 900_000);
