import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { startApp } from '../../../test/support/app-process.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import { bodyOfNumber, fillOldLedger, oldDatabase } from '../../../packages/store/test/support/old-ledger.ts';

const WITHIN = { timeout: 60_000, interval: 20 };
const EVENTS = 3_000;

const isMoved = async (url: string) =>
  (
    await runSql(
      url,
      `SELECT 1 FROM information_schema.columns WHERE table_name = 'webhook_events' AND column_name = 'body'`,
    )
  ).length === 0;

test('a worker takes jobs while it moves the bodies of an older version, and one that is killed meanwhile loses none', async () => {
  const databaseUrl = await oldDatabase();
  await fillOldLedger(databaseUrl, EVENTS);
  const env = { DATABASE_URL: databaseUrl, REDIS_URL: `${inject('redisUrl')}/13` };
  const first = await startApp('worker', { env });
  await vi.waitUntil(() => first.output().includes('Taking jobs'), WITHIN);
  first.kill('SIGKILL');
  const second = await startApp('worker', { env });
  onTestFinished(async () => void (await second.stop()));
  await vi.waitUntil(() => second.output().includes('Taking jobs'), WITHIN);
  await vi.waitUntil(() => isMoved(databaseUrl), WITHIN);
  const [row] = await runSql(
    databaseUrl,
    `SELECT count(*)::int AS n FROM generate_series(1, ${EVENTS}) i JOIN webhook_bodies b ON b.event_id = md5(i::text)::uuid
     WHERE b.body = ${bodyOfNumber('i')}`,
  );
  expect(row).toEqual({ n: EVENTS });
  // A machine that stands still may cost a connection, and the move is tried again. Nothing else is a reason to.
  const again = second
    .output()
    .split('\n')
    .filter((line) => line.includes('trying again'));
  expect(again.filter((line) => !line.includes('connection timeout'))).toEqual([]);
});
