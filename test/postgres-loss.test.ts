import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startApp, type AppProcess } from './support/app-process.ts';
import { post, SECRET } from './support/post.ts';
import { startPrivatePostgres, type PrivatePostgres } from './support/private-postgres.ts';
import { startPrivateRedis, type PrivateRedis } from './support/private-redis.ts';
import { runSql } from './support/run-sql.ts';
import { scrape } from './support/scrape.ts';
import { makeTempFolder } from './support/temp-folder.ts';

interface Line {
  postgres: PrivatePostgres;
  redis: PrivateRedis;
  worker: AppProcess;
  startReceiver: () => Promise<AppProcess>;
}

async function startLine(): Promise<Line> {
  const [postgres, redis] = await Promise.all([startPrivatePostgres(), startPrivateRedis()]);
  onTestFinished(() => redis.remove());
  const JOURNAL_DIR = join(await makeTempFolder(), 'journal');
  const start = async (app: 'receiver' | 'worker', env: Readonly<Record<string, string>>) => {
    const process = await startApp(app, { env: { REDIS_URL: redis.url, ...env } });
    onTestFinished(async () => void (process.isRunning() && (await process.stop())));
    return process;
  };
  return {
    postgres,
    redis,
    worker: await start('worker', { DATABASE_URL: postgres.url }),
    startReceiver: () =>
      start('receiver', { ELEVENLABS_WEBHOOK_SECRET: SECRET, JOURNAL_DIR, CANARY_INTERVAL_SECONDS: '0' }),
  };
}

/** Sends a message for each number, in a conversation of that number. */
async function sendTo(receiver: AppProcess, from: number, to: number): Promise<void> {
  const bodies = Array.from({ length: to - from }, (_, i) =>
    JSON.stringify({
      type: 'conversation.message',
      data: { conversation_id: `conv_${from + i}`, role: 'user', message: 'hello' },
    }),
  );
  const answers = await Promise.all(bodies.map((body) => post(receiver.url, body)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
}

const rowsOf = async (url: string) => (await runSql(url, 'SELECT id FROM conversations').catch(() => [])).length;
const untilRows = (url: string, rows: number) =>
  vi.waitUntil(async () => (await rowsOf(url)) === rows, { timeout: 40_000, interval: 50 });
/** Whether each app has logged a loss. It is polled: the rows may be there before the log has come here. */
const toldBy =
  (...apps: readonly AppProcess[]) =>
  () =>
    apps.map(({ output }) => output().includes('Postgres has lost events'));
const seqOf = async (url: string) => Number((await runSql(url, 'SELECT seq FROM landline_beat'))[0]?.['seq']);

test('a Postgres that comes back older gets the lost events again, also from a receiver that was away meanwhile', async () => {
  const { postgres, worker, startReceiver } = await startLine();
  const [living, away] = await Promise.all([startReceiver(), startReceiver()]);
  await sendTo(living, 0, 20);
  await untilRows(postgres.url, 20);
  await postgres.stop();
  const putBack = await postgres.keepData();
  await postgres.restart();

  await sendTo(living, 20, 60);
  await sendTo(away, 60, 100);
  await sendTo(living, 100, 101);
  await untilRows(postgres.url, 101);
  const seq = await seqOf(postgres.url);
  // After two more beats Redis has these events for certain.
  await vi.waitUntil(async () => (await seqOf(postgres.url)) > seq + 1, { timeout: 20_000, interval: 100 });
  away.kill('SIGKILL');
  await away.exited;
  await postgres.stop();
  await putBack();
  // The worker would have the events back before somebody has looked.
  worker.kill('SIGSTOP');
  try {
    await postgres.restart();
    expect(await rowsOf(postgres.url)).toBeLessThan(101);
  } finally {
    worker.kill('SIGCONT');
  }

  await untilRows(postgres.url, 101);
  await expect.poll(toldBy(living, worker), { timeout: 20_000 }).toEqual([true, true]);
  expect((await scrape(worker.url)).samples['landline_postgres_losses_total']).toBe(1);
  // The worker finds the loss once: the next beat is like any other.
  const raised = await seqOf(postgres.url);
  await vi.waitUntil(async () => (await seqOf(postgres.url)) > raised + 2, { timeout: 20_000, interval: 100 });
  expect((await scrape(worker.url)).samples['landline_postgres_losses_total']).toBe(1);
  expect(living.output().match(/Postgres has lost events/g)).toHaveLength(1);
});

test('another, empty database gets all that the journals hold', async () => {
  const { postgres, redis, worker, startReceiver } = await startLine();
  const receiver = await startReceiver();
  await sendTo(receiver, 0, 10);
  await untilRows(postgres.url, 10);
  const seq = await seqOf(postgres.url);
  await vi.waitUntil(async () => (await seqOf(postgres.url)) > seq + 1, { timeout: 20_000, interval: 100 });
  await worker.stop();
  const empty = await startPrivatePostgres();
  const next = await startApp('worker', { env: { DATABASE_URL: empty.url, REDIS_URL: redis.url } });
  onTestFinished(async () => void (await next.stop()));
  await untilRows(empty.url, 10);
  await expect.poll(toldBy(next), { timeout: 20_000 }).toEqual([true]);
});

test('lost events come back although the last beat is still there', async () => {
  const { postgres, worker, startReceiver } = await startLine();
  const receiver = await startReceiver();
  await sendTo(receiver, 0, 20);
  await untilRows(postgres.url, 20);
  const seq = await seqOf(postgres.url);
  await vi.waitUntil(async () => (await seqOf(postgres.url)) > seq + 1, { timeout: 20_000, interval: 100 });
  // The state of a replica that had received the last beat, and nothing after it.
  await sendTo(receiver, 20, 40);
  await untilRows(postgres.url, 40);
  await runSql(postgres.url, `DELETE FROM webhook_events WHERE conversation_id NOT IN ('conv_0', 'conv_1')`);
  await runSql(postgres.url, `DELETE FROM conversations WHERE id NOT IN ('conv_0', 'conv_1')`);
  await postgres.stop();
  await postgres.restart();
  await untilRows(postgres.url, 40);
  await expect.poll(toldBy(receiver, worker), { timeout: 20_000 }).toEqual([true, true]);
});
