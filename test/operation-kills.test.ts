import { randomUUID } from 'node:crypto';
import { READMIT, readmitWords } from '@landline/operations';
import { wakeOperations } from '@landline/queue';
import { createStore, type OperationRequest, type Store } from '@landline/store';
import { sign } from '@landline/webhook';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { startApp } from './support/app-process.ts';
import { countEffects, REPEATED } from './support/count-effects.ts';
import { fillWithDead, messageBody } from './support/dead-ledger.ts';
import { SECRET } from './support/post.ts';
import { startPrivatePostgres } from './support/private-postgres.ts';
import { startPrivateRedis } from './support/private-redis.ts';
import { runSql } from './support/run-sql.ts';

/** OPERATIONS=whole: as many events as the promise names, each fault several times. */
const IS_WHOLE = process.env['OPERATIONS'] === 'whole';
const EVENTS = IS_WHOLE ? 100_000 : 1_200;
const RATE = IS_WHOLE ? 2_000 : 400;
const ROUNDS = IS_WHOLE ? 4 : 1;

/** A line of processes. */
async function aLine() {
  const redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
  const postgres = await startPrivatePostgres();
  const sql = (statement: string) => runSql(postgres.directUrl, statement);
  const store = createStore({ databaseUrl: postgres.url, poolSize: 2 });
  onTestFinished(() => store.close());
  const startWorker = async () => {
    const worker = await startApp('worker', {
      env: { DATABASE_URL: postgres.url, REDIS_URL: redis.url, ELEVENLABS_WEBHOOK_SECRET: SECRET },
    });
    onTestFinished(async () => void (worker.isRunning() && (await worker.stop())));
    return worker;
  };
  return { redis, postgres, sql, store, startWorker };
}

/** Keeps requests that were refused, and whose signature is good with SECRET; each came a second after the one before. */
async function fillWithRefused(store: Store, count: number): Promise<void> {
  const at = Math.floor(Date.now() / 1000) - count;
  for (let i = 0; i < count; i++) {
    const body = messageBody(`conv_${i % 50}`, `refused ${i}`);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await store.keepRejected({
      id: randomUUID(),
      receivedAt: (at + i) * 1000,
      code: 'signature_mismatch',
      cause: 'another_secret',
      advice: '',
      header: sign(body, SECRET, at + i),
      headers: {},
      body,
      bodyBytes: body.length,
      sender: null,
      readmittedAt: null,
    });
  }
}

type Line = Awaited<ReturnType<typeof aLine>>;

/** The whole form waits until the lease of the killed worker has run out. */
async function endLease({ sql, redis }: Line): Promise<void> {
  await sql(`UPDATE operations SET lease_until = clock_timestamp() WHERE status = 'running'`);
  await wakeOperations({ redisUrl: redis.url });
}

/** Asks for an operation, and kills the worker, Redis and Postgres in turn, again and again, each when some more is through; waits for its end. */
async function killThrough(line: Line, request: OperationRequest) {
  const { redis, postgres, store, startWorker } = line;
  let worker = await startWorker();
  const { id } = await store.operations.request(request);
  await wakeOperations({ redisUrl: redis.url });
  const get = () => store.operations.get(id).catch(() => undefined);
  /** Waits until a part more is through. */
  const goesOn = async () => {
    const from = (await get())?.done ?? 0;
    const isFurther = async () => {
      const now = await get();
      return now !== undefined && (now.finishedAt !== null || now.done >= from + EVENTS / 10 / ROUNDS);
    };
    await vi.waitUntil(isFurther, { timeout: 60_000, interval: 50 });
  };
  // oxlint-disable no-await-in-loop -- one after the other
  for (let round = 0; round < ROUNDS; round++) {
    await goesOn();
    worker.kill('SIGKILL');
    await worker.exited;
    worker = await startWorker();
    if (!IS_WHOLE) await endLease(line);
    for (const server of [redis, postgres]) {
      await goesOn();
      await server.kill();
      await server.restart();
    }
    await goesOn();
  }
  // oxlint-enable no-await-in-loop
  await vi.waitUntil(async () => (await get())?.finishedAt != null, { timeout: 120_000, interval: 100 });
  return get();
}

describe('worker, Redis and Postgres are killed while an operation runs: it ends, with every event applied once', () => {
  const timeout = IS_WHOLE ? 900_000 : 240_000;

  test('a replay', { timeout }, async () => {
    const line = await aLine();
    await fillWithDead(line.postgres.url, EVENTS);
    await countEffects(line.sql);
    const ended = await killThrough(line, { kind: 'replay', filter: { outcome: 'dead' }, rate: RATE });
    process.stdout.write(`replay of ${EVENTS} events, each part killed ${ROUNDS} times: ${JSON.stringify(ended)}\n`);
    expect(ended).toMatchObject({ status: 'done', total: EVENTS, done: EVENTS, failed: 0 });
    expect(await line.sql('SELECT outcome, count(*)::int AS n FROM webhook_events GROUP BY outcome')).toEqual([
      { outcome: 'applied', n: EVENTS },
    ]);
    expect(await line.sql('SELECT count(*)::int AS n FROM conversation_messages')).toEqual([{ n: EVENTS }]);
    expect(await line.sql(REPEATED)).toEqual([]);
  });

  test('a readmission', { timeout }, async () => {
    const line = await aLine();
    const events = Math.min(EVENTS, 10_000);
    await fillWithRefused(line.store, events);
    await countEffects(line.sql);
    const request = { kind: READMIT, filter: readmitWords({}, [SECRET]), rate: RATE, total: events };
    const ended = await killThrough(line, request);
    process.stdout.write(`readmission of ${events}, each part killed ${ROUNDS} times: ${JSON.stringify(ended)}\n`);
    expect(ended).toMatchObject({ status: 'done', total: events, done: events, failed: 0 });
    const messages = async () => (await line.sql('SELECT count(*)::int AS n FROM conversation_messages'))[0]?.['n'];
    await vi.waitUntil(async () => (await messages()) === events, { timeout: 60_000, interval: 100 });
    expect(await line.sql('SELECT origin, outcome, count(*)::int AS n FROM webhook_events GROUP BY 1, 2')).toEqual([
      { origin: 'readmitted', outcome: 'applied', n: events },
    ]);
    expect(await line.sql(REPEATED)).toEqual([]);
  });
});

test(`${EVENTS} dead events are replayed at the rate that is asked for, and a replay is cancelled within a second`, async () => {
  const { redis, postgres, sql, store, startWorker } = await aLine();
  await fillWithDead(postgres.url, EVENTS);
  await startWorker();
  const replay = async (rate: number) => {
    const { id } = await store.operations.request({ kind: 'replay', filter: {}, rate });
    await wakeOperations({ redisUrl: redis.url });
    return { id, get: () => store.operations.get(id) };
  };
  // So slow that it is not through before it is cancelled, also where this process stands still for some seconds.
  const first = await replay(IS_WHOLE ? RATE : 20);
  await vi.waitUntil(async () => ((await first.get())?.done ?? 0) > 0, { timeout: 60_000, interval: 50 });
  const cancelledAt = performance.now();
  await store.operations.cancel(first.id);
  await vi.waitUntil(async () => (await first.get())?.status === 'cancelled', { timeout: 20_000, interval: 20 });
  const cancelMs = performance.now() - cancelledAt;

  await sql(`UPDATE webhook_events SET outcome = 'dead', error = '{"code":"x"}', applied_at = NULL`);
  const second = await replay(RATE);
  const isDone = async () => (await second.get())?.finishedAt != null;
  await vi.waitUntil(isDone, { timeout: 600_000, interval: 50 });
  const ended = await second.get();
  const seconds = ((ended?.finishedAt ?? 0) - (ended?.startedAt ?? 0)) / 1000;
  process.stdout.write(
    `replay of ${EVENTS} dead events at ${RATE} a second: ${seconds.toFixed(1)} s; cancelled in ${Math.round(cancelMs)} ms\n`,
  );
  expect(ended).toMatchObject({ status: 'done', done: EVENTS, failed: 0 });
  expect(seconds).toBeGreaterThanOrEqual((EVENTS / RATE) * 0.98);
  // A machine that does other work as well may be slower.
  if (!IS_WHOLE) return;
  expect(cancelMs).toBeLessThan(1_000);
  expect(seconds).toBeLessThan((EVENTS / RATE) * 1.1);
}, 900_000);
