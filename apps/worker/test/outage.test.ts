import { setTimeout as delay } from 'node:timers/promises';
import { createLogger } from '@landline/process';
import { createIntake } from '@landline/intake';
import { openQueues } from '@landline/queue';
import { expect, onTestFinished, test, vi } from 'vitest';
import { lockTable } from '../../../test/support/lock-table.ts';
import { startPrivatePostgres, type PrivatePostgres } from '../../../test/support/private-postgres.ts';
import { startPrivateRedis } from '../../../test/support/private-redis.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import { createWorker, type WorkerOptions } from '../src/worker.ts';
import { message } from './support/work.ts';

/** Jobs that come while the database is away. */
const JOBS = 40;

/** A worker on a Redis and a Postgres of the test's own, in this process. */
async function startPipe(limits: WorkerOptions['limits']) {
  const postgres = await startPrivatePostgres();
  const redis = await startPrivateRedis();
  const lines: string[] = [];
  const logger = createLogger({
    name: 'worker',
    level: 'info',
    destination: { write: (line) => void lines.push(line) },
  });
  // Three jobs of one event are in hand at once.
  const worker = createWorker({
    databaseUrl: postgres.url,
    redisUrl: redis.url,
    concurrency: 1,
    logger,
    ...(limits && { limits }),
  });
  const queues = openQueues({ redisUrl: redis.url });
  const intake = createIntake({
    redisUrl: redis.url,
    batchMaxEvents: 1,
    batchMaxBytes: 9_999,
    enqueueTimeoutMs: 5_000,
  });
  onTestFinished(async () => {
    await Promise.all([worker.stop({ timeoutMs: 2_000 }), intake.close(), queues.close()]);
    await redis.remove();
  });
  await intake.start();
  worker.start();
  const send = (from: number, to: number) =>
    Promise.all(Array.from({ length: to - from }, (_, i) => intake.accept(message('c', `text ${from + i}`))));
  const log = () => lines.join('');
  return { postgres, redis, worker, queues, send, log };
}

/** Breaks the database; what it answers mends it. */
type Break = (postgres: PrivatePostgres) => Promise<() => Promise<unknown>>;

const FAULTS: [fault: string, limits: WorkerOptions['limits'], breakIt: Break][] = [
  [
    'is stopped, and its port refuses',
    undefined,
    async (postgres) => {
      await postgres.stop();
      return postgres.restart;
    },
  ],
  [
    'is frozen with its connections open',
    { statementTimeoutMs: 2_000 },
    async (postgres) => {
      await postgres.freeze();
      return postgres.thaw;
    },
  ],
  ['has a table that somebody locks', { lockTimeoutMs: 500 }, (postgres) => lockTable(postgres.url, 'conversations')],
  [
    'lets every statement time out',
    { statementTimeoutMs: 2_000 },
    (postgres) => lockTable(postgres.url, 'conversation_messages'),
  ],
  [
    'lacks a table, for a migration is late',
    undefined,
    async ({ url }) => {
      await runSql(url, 'ALTER TABLE conversations RENAME TO not_yet');
      return () => runSql(url, 'ALTER TABLE not_yet RENAME TO conversations');
    },
  ],
];

test.for(FAULTS)(
  'Postgres %s: the jobs in hand wait, no other is taken, no attempt is spent',
  async ([, limits, breakIt]) => {
    const { postgres, worker, queues, send, log } = await startPipe(limits);
    await vi.waitUntil(async () => (await worker.health.readiness()).status === 'ready', { timeout: 20_000 });
    await send(0, 1);
    await vi.waitUntil(async () => (await stored(postgres.url)) === 1, { timeout: 20_000, interval: 20 });

    const mend = await breakIt(postgres);
    await send(1, 2);
    await vi.waitUntil(() => log().includes('Waiting for the database'), { timeout: 30_000 });
    await send(2, JOBS);
    // A worker that took jobs would have filled its hands in a few milliseconds.
    await delay(1_000);
    const counts = await queues.events.getJobCounts('wait', 'active', 'delayed', 'failed');
    // One more may come of the read that was under way.
    expect(counts['active']).toBeLessThanOrEqual(2);
    expect(counts).toEqual({
      wait: JOBS - 1 - (counts['active'] ?? 0),
      active: counts['active'],
      delayed: 0,
      failed: 0,
    });
    expect((await queues.events.getActive()).map(({ attemptsMade }) => attemptsMade)).toEqual(
      Array(counts['active']).fill(0),
    );
    expect(await worker.health.isLive()).toBe(true);
    // A busy machine's Redis may take longer than the second that health gives it, once.
    await expect
      .poll(() => worker.health.readiness(), { timeout: 20_000 })
      .toEqual({
        status: 'unavailable',
        redis: 'ready',
        postgres: 'unavailable',
      });

    await mend();
    await vi.waitUntil(async () => (await stored(postgres.url)) === JOBS, { timeout: 30_000, interval: 50 });
    await vi.waitUntil(async () => (await queues.events.getJobCountByTypes()) === 0, { timeout: 20_000, interval: 20 });
    await vi.waitUntil(async () => (await worker.health.readiness()).status === 'ready', { timeout: 20_000 });
    expect(await queues.deadLetters.getJobCountByTypes()).toBe(0);
    expect(await worker.metrics.registry.metrics()).not.toMatch(/^landline_job_attempts_failed_total.* [1-9]/m);
    expect(await runSql(postgres.url, `SELECT DISTINCT outcome FROM webhook_events`)).toEqual([{ outcome: 'applied' }]);
  },
);

async function stored(url: string): Promise<number> {
  const [row] = await runSql(url, 'SELECT count(*)::int AS n FROM conversation_messages').catch(() => []);
  return Number(row?.['n'] ?? 0);
}
