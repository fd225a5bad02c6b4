import { createStore, openRebuilds } from '@landline/store';
import { wakeOperations } from '@landline/queue';
import { normalise } from '@landline/webhook';
import { deliveryOf } from '@landline/webhook/delivery';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startApp } from './support/app-process.ts';
import { messageBody, RECEIVED_AT } from './support/dead-ledger.ts';
import { startPrivatePostgres } from './support/private-postgres.ts';
import { startPrivateRedis } from './support/private-redis.ts';
import { runSql } from './support/run-sql.ts';

/** REBUILD=whole: as many events as the promise names. */
const IS_WHOLE = process.env['REBUILD'] === 'whole';
const EVENTS = IS_WHOLE ? 1_000_000 : 2_500;
const KILLED_EVENTS = IS_WHOLE ? 100_000 : 1_800;
const RATE = IS_WHOLE ? 5_000 : 1_200;

/** Events in a transaction, and a second while a rebuild runs. */
const BATCH = 1_000;
const COMING_IN = 500;

/** Makes messages of many calls, as a worker reads them. */
function messages(from: number, count: number, name = 'conv') {
  return Array.from({ length: count }, (_, i) => {
    const number = from + i;
    const facts = { receivedAt: RECEIVED_AT + number, signedAt: RECEIVED_AT / 1000, secretId: 'test' };
    const event = normalise(deliveryOf(messageBody(`${name}_${Math.floor(number / 20)}`, `word ${number}`), facts));
    if (event.outcome === 'dead') throw new Error('It is dead.');
    return event;
  });
}

/** A line of processes with applied events in its ledger. `applied`: how many a second it applied, two transactions at once. */
async function aLine(events: number) {
  const redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
  const postgres = await startPrivatePostgres();
  const store = createStore({ databaseUrl: postgres.url, poolSize: 4 });
  const rebuilds = openRebuilds({ databaseUrl: postgres.url });
  onTestFinished(async () => void (await Promise.all([store.close(), rebuilds.close()])));
  const startedAt = performance.now();
  for (let from = 0; from < events; from += 2 * BATCH) {
    // oxlint-disable-next-line no-await-in-loop -- two transactions at once, as the worker has them
    await Promise.all(
      [from, from + BATCH].map((start) => store.apply(messages(start, Math.max(0, Math.min(BATCH, events - start))))),
    );
  }
  const applied = events / ((performance.now() - startedAt) / 1000);
  const startWorker = async () => {
    const worker = await startApp('worker', { env: { DATABASE_URL: postgres.url, REDIS_URL: redis.url } });
    onTestFinished(async () => void (worker.isRunning() && (await worker.stop())));
    return worker;
  };
  const ask = async (swap: 'yes' | 'no', rate?: number) => {
    const { id } = await store.operations.request({ kind: 'rebuild', filter: { swap }, rate });
    await wakeOperations({ redisUrl: redis.url });
    const get = () => store.operations.get(id).catch(() => undefined);
    return { id, get, isOver: async () => (await get())?.finishedAt != null };
  };
  return {
    redis,
    postgres,
    store,
    rebuilds,
    applied,
    startWorker,
    ask,
    sql: (statement: string) => runSql(postgres.directUrl, statement),
  };
}

const COUNTS = `SELECT (SELECT count(*)::int FROM webhook_events) AS events, (SELECT count(*)::int FROM conversation_messages) AS messages,
  (SELECT count(*)::int FROM conversations) AS conversations`;

test(
  'worker, Redis and Postgres are killed while a rebuild runs: it ends, is swapped, and differs in nothing',
  async () => {
    const { redis, postgres, sql, startWorker, ask, rebuilds } = await aLine(KILLED_EVENTS);
    const before = await sql(COUNTS);
    let worker = await startWorker();
    const rebuild = await ask('yes', RATE);
    /** Waits until so much more is through. */
    const goesOn = async () => {
      const from = (await rebuild.get())?.done ?? 0;
      const isFurther = async () => {
        const now = await rebuild.get();
        return now !== undefined && (now.finishedAt !== null || now.done >= from + KILLED_EVENTS / 8);
      };
      await vi.waitUntil(isFurther, { timeout: 60_000, interval: 20 });
    };
    const killWorker = async () => {
      worker.kill('SIGKILL');
      await worker.exited;
      worker = await startWorker();
    };
    await goesOn();
    // It takes as long as a lease for another one to go on, so in the short form it is killed once.
    if (IS_WHOLE) await killWorker();
    await goesOn();
    await redis.kill();
    await redis.restart();
    await goesOn();
    await postgres.kill();
    await postgres.restart();
    // In the stages behind the fold, whichever it is at.
    await vi.waitUntil(async () => ((await rebuild.get())?.done ?? 0) >= KILLED_EVENTS, {
      timeout: 60_000,
      interval: 5,
    });
    await killWorker();
    await vi.waitUntil(rebuild.isOver, { timeout: 120_000, interval: 50 });
    const ended = await rebuild.get();
    process.stdout.write(`rebuild of ${KILLED_EVENTS} events, each part killed: ${JSON.stringify(ended)}\n`);
    expect(ended).toMatchObject({
      status: 'done',
      failed: 0,
      message: expect.stringMatching(/^Nothing differs\. The old tables/),
    });
    expect(await sql(COUNTS)).toEqual(before);
    expect(await rebuilds.kept()).toHaveLength(1);
    expect(await sql(`SELECT tgname FROM pg_trigger WHERE tgname LIKE 'landline%'`)).toEqual([]);
  },
  IS_WHOLE ? 900_000 : 360_000,
);

test(
  `${EVENTS} events are rebuilt while ${COMING_IN} a second come in, and nothing differs at the end`,
  async () => {
    const { sql, store, startWorker, ask, applied } = await aLine(EVENTS);
    await startWorker();
    const startedAt = performance.now();
    const rebuild = await ask('yes');
    let sent = 0;
    while (!(await rebuild.isOver())) {
      const due = Math.floor(((performance.now() - startedAt) / 1000) * COMING_IN);
      // oxlint-disable-next-line no-await-in-loop -- as they come
      if (due > sent) await store.apply(messages(sent, due - sent, 'coming'));
      sent = Math.max(sent, due);
      // oxlint-disable-next-line no-await-in-loop -- as they come
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const seconds = (performance.now() - startedAt) / 1000;
    const ended = await rebuild.get();
    const rate = EVENTS / seconds;
    process.stdout.write(
      `rebuild of ${EVENTS} events in ${seconds.toFixed(1)} s: ${rate.toFixed(0)}/s, applied at ${applied.toFixed(0)}/s: ${(rate / applied).toFixed(2)}; ${sent} came meanwhile: ${JSON.stringify(ended)}\n`,
    );
    expect(ended).toMatchObject({ status: 'done', failed: 0, message: expect.stringMatching(/^Nothing differs\./) });
    expect(await sql('SELECT count(*)::int AS n FROM conversation_messages')).toEqual([{ n: EVENTS + sent }]);
    // The fixed costs of a rebuild, such as its locks, are most of a short one: it says nothing of the rate.
    expect({ isSlow: IS_WHOLE && rate < 0.7 * applied }).toEqual({ isSlow: false });
  },
  IS_WHOLE ? 1_800_000 : 240_000,
);
