import { createIntake } from '@landline/intake';
import { startPostgres } from '@landline/local-servers';
import { openQueues } from '@landline/queue';
import { migrate } from '@landline/store';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startApp, untilReady } from './support/app-process.ts';
import { get, post, SECRET } from './support/post.ts';
import { chooseQuietPort } from './support/quiet-port.ts';
import { startPrivateRedis } from './support/private-redis.ts';
import { makeTempFolder } from './support/temp-folder.ts';
import { openQueryStore } from '../packages/store/test/support/query-store.ts';

const EVENTS = 200;

test('Postgres down: senders notice nothing, no attempt is spent, and the worker goes on by itself', async () => {
  const dir = `${await makeTempFolder()}/postgres`;
  const redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
  let postgres = await startPostgres({ dir, port: await chooseQuietPort() });
  onTestFinished(() => postgres.stop());
  const port = Number(new URL(postgres.url).port);
  await migrate(postgres.url);
  const receiver = await startApp('receiver', { env: { ELEVENLABS_WEBHOOK_SECRET: SECRET, REDIS_URL: redis.url } });
  onTestFinished(async () => void (await receiver.stop()));
  await untilReady(receiver);
  const worker = await startApp('worker', { env: { DATABASE_URL: postgres.url, REDIS_URL: redis.url } });
  onTestFinished(async () => void (await worker.stop()));
  const queues = openQueues({ redisUrl: redis.url });
  onTestFinished(() => queues.close());
  const ask = () => get(`${worker.url}/health/ready`);
  const ready = async () => (await ask()).status;
  await vi.waitUntil(async () => (await ready()) === 200, { timeout: 20_000, interval: 50 });

  await postgres.stop();
  const statuses = await Promise.all(Array.from({ length: EVENTS }, (_, i) => post(receiver.url, bodyOf(i))));
  expect(new Set(statuses.map(({ status }) => status))).toEqual(new Set([200]));
  await vi.waitUntil(() => worker.output().includes('Waiting for the database'), { timeout: 20_000 });
  const told = async (): Promise<unknown> => {
    const { status, body } = await ask();
    return [status, JSON.parse(body)];
  };
  const postgresAlone = { status: 'unavailable', redis: 'ready', postgres: 'unavailable' };
  await expect.poll(told, { timeout: 20_000 }).toEqual([503, postgresAlone]);
  expect((await get(`${worker.url}/health/live`)).status).toBe(200);

  postgres = await startPostgres({ dir, port });
  const store = openQueryStore({ databaseUrl: postgres.url });
  onTestFinished(() => store.close());
  const applied = async () =>
    (await store.query(`SELECT count(*)::int AS n FROM webhook_events WHERE outcome = 'applied'`))[0]?.['n'];
  await vi.waitUntil(async () => (await applied()) === EVENTS, { timeout: 30_000, interval: 100 });
  expect(await store.query('SELECT count(*)::int AS n FROM conversation_messages')).toEqual([{ n: EVENTS }]);
  await vi.waitUntil(async () => (await ready()) === 200, { timeout: 20_000, interval: 50 });
  // No job was retried or failed, so no attempt was spent.
  expect(await queues.events.getJobCounts('delayed', 'failed', 'waiting')).toEqual({
    delayed: 0,
    failed: 0,
    waiting: 0,
  });
  expect(await queues.deadLetters.getJobCounts('failed', 'waiting')).toEqual({ failed: 0, waiting: 0 });
});

test('a worker that starts before its database waits for it, and makes the tables', async () => {
  const dir = `${await makeTempFolder()}/postgres`;
  const redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
  const first = await startPostgres({ dir, port: await chooseQuietPort() });
  await first.stop();
  const worker = await startApp('worker', { env: { DATABASE_URL: first.url, REDIS_URL: redis.url } });
  onTestFinished(async () => void (await worker.stop()));
  await vi.waitUntil(() => worker.output().includes('trying again'), { timeout: 20_000 });
  const intake = createIntake({
    redisUrl: redis.url,
    batchMaxEvents: 9,
    batchMaxBytes: 9_999,
    enqueueTimeoutMs: 5_000,
  });
  await intake.start();
  const now = Date.now();
  await intake.accept({ receivedAt: now, signedAt: 1, secretId: 't', encoding: 'utf8', body: bodyOf(0) });
  await intake.close();

  const postgres = await startPostgres({ dir, port: Number(new URL(first.url).port) });
  onTestFinished(() => postgres.stop());
  const store = openQueryStore({ databaseUrl: postgres.url });
  onTestFinished(() => store.close());
  const messages = () => store.query('SELECT content FROM conversation_messages').catch(() => []);
  await expect.poll(messages, { timeout: 30_000, interval: 100 }).toEqual([{ content: 'message 0' }]);
});

function bodyOf(i: number): string {
  const data = { conversation_id: `conv_${i % 5}`, role: 'user', message: `message ${i}` };
  return JSON.stringify({ type: 'conversation.message', timestamp: 1_767_225_600 + i, data });
}
