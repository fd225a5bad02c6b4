import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { openQueues } from '@landline/queue';
import { expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { startApp, type AppProcess } from './support/app-process.ts';
import { get, post, SECRET } from './support/post.ts';
import { startPrivateRedis, type PrivateRedis } from './support/private-redis.ts';
import { scrape, valueOf } from './support/scrape.ts';
import { makeTempFolder } from './support/temp-folder.ts';
import { jobSchema } from '../packages/queue/test/support/job-schema.ts';

/** The smallest journal that is allowed, in bytes: a busy minute fills it. */
const SMALL = 1024 * 1024;

async function aReceiver(redis: PrivateRedis, journalDir: string, env = {}): Promise<AppProcess> {
  const receiver = await startApp('receiver', {
    env: { ELEVENLABS_WEBHOOK_SECRET: SECRET, REDIS_URL: redis.url, JOURNAL_DIR: journalDir, ...env },
  });
  onTestFinished(async () => void (receiver.isRunning() && (await receiver.stop())));
  return receiver;
}

async function setUp(): Promise<{ redis: PrivateRedis; journalDir: string }> {
  const redis = await startPrivateRedis();
  onTestFinished(() => redis.remove());
  return { redis, journalDir: join(await makeTempFolder(), 'journal') };
}

async function readiness(receiver: AppProcess): Promise<[number, unknown]> {
  const { status, body } = await get(`${receiver.healthUrl}/health/ready`);
  const details: unknown = JSON.parse(body);
  return [status, details];
}

/** Returns the bodies in the queue, each once. */
async function queuedIn(redis: PrivateRedis): Promise<Set<string>> {
  const queues = openQueues({ redisUrl: redis.url });
  try {
    await queues.ping();
    const jobs = await queues.events.getWaiting(0, 100_000);
    return new Set(jobs.flatMap((job) => jobSchema.parse(job.data).events.map(({ body }) => body)));
  } finally {
    await queues.close();
  }
}

/** Whether Redis has every event of a receiver's journal, by the receiver's metrics. */
async function hasNothingPending(receiver: AppProcess): Promise<boolean> {
  return valueOf(await scrape(receiver.healthUrl), 'landline_journal_pending_records') === 0;
}

async function untilQueued(redis: PrivateRedis, count: number): Promise<Set<string>> {
  return vi.waitUntil(
    async () => {
      const found = await queuedIn(redis);
      return found.size >= count && found;
    },
    { timeout: 40_000, interval: 100 },
  );
}

test('Redis away: every answer is 200, and the next receiver enqueues the journal of a killed one', async () => {
  const { redis, journalDir } = await setUp();
  const receiver = await aReceiver(redis, journalDir);
  // With a journal it listens also before Redis has answered.
  await expect
    .poll(() => readiness(receiver), { timeout: 20_000 })
    .toEqual([200, { status: 'ready', redis: 'ready', journal: 'ready', spool: 'ready' }]);
  await redis.stop();
  const bodies = Array.from({ length: 300 }, (_, i) => `{"n":${i}}`);
  const answers = await Promise.all(bodies.map((body) => post(receiver.url, body)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(await readiness(receiver)).toEqual([
    200,
    { status: 'ready', redis: 'away', journal: 'ready', spool: 'ready' },
  ]);
  receiver.kill('SIGKILL');
  await receiver.exited;
  await redis.restart();
  expect(await queuedIn(redis)).toEqual(new Set());
  await aReceiver(redis, journalDir);
  expect(await untilQueued(redis, bodies.length)).toEqual(new Set(bodies));
});

test('a running receiver takes over the journal of a killed one', async () => {
  const { redis, journalDir } = await setUp();
  const [killed, living] = await Promise.all([aReceiver(redis, journalDir), aReceiver(redis, journalDir)]);
  await redis.stop();
  const bodies = Array.from({ length: 50 }, (_, i) => `{"n":${i}}`);
  for (const [i, body] of bodies.entries()) {
    // oxlint-disable-next-line no-await-in-loop -- to each in turn
    expect((await post((i % 2 ? killed : living).url, body)).status).toBe(200);
  }
  killed.kill('SIGKILL');
  await killed.exited;
  await redis.restart();
  expect(await untilQueued(redis, bodies.length)).toEqual(new Set(bodies));
});

test('journal full and Redis away: 503 with Retry-After, and 200 again when Redis is back; no refused event is there', async () => {
  const { redis, journalDir } = await setUp();
  const receiver = await aReceiver(redis, journalDir, { JOURNAL_LIMIT_BYTES: String(SMALL) });
  await redis.stop();
  const accepted = new Set<string>();
  const refused: unknown[] = [];
  for (let i = 0; i < 100 && refused.length < 3; i++) {
    const body = JSON.stringify({ n: i, pad: randomBytes(22_500).toString('base64') });
    // oxlint-disable-next-line no-await-in-loop -- one after the other, until it is full
    const { status, headers } = await post(receiver.url, body);
    if (status === 200) accepted.add(body);
    else refused.push([status, Number(headers['retry-after']) > 0]);
  }
  expect(refused).toEqual(Array.from({ length: 3 }, () => [503, true]));
  expect(accepted.size).toBeGreaterThan(10);
  expect(await readiness(receiver)).toEqual([
    503,
    { status: 'unavailable', redis: 'away', journal: 'full', spool: 'ready' },
  ]);
  await redis.restart();
  expect(await untilQueued(redis, accepted.size)).toEqual(accepted);
  await vi.waitUntil(async () => (await readiness(receiver))[0] === 200, { timeout: 20_000 });
  expect((await post(receiver.url, '{"n":"last"}')).status).toBe(200);
});

test('a receiver that stops with pending events in its journal logs their number and ends with exit code 3', async () => {
  const { redis, journalDir } = await setUp();
  const receiver = await aReceiver(redis, journalDir);
  await redis.stop();
  for (const n of [1, 2, 3]) {
    // oxlint-disable-next-line no-await-in-loop -- a group each
    expect((await post(receiver.url, JSON.stringify({ n }))).status).toBe(200);
  }
  expect(await receiver.stop()).toEqual([3, null]);
  expect(receiver.output()).toMatch(/"level":50.*Stopping with 3 records .*JOURNAL_DIR=/);
  await redis.restart();
  const next = await aReceiver(redis, journalDir);
  expect(await untilQueued(redis, 3)).toEqual(new Set(['{"n":1}', '{"n":2}', '{"n":3}']));
  await vi.waitUntil(() => hasNothingPending(next), { timeout: 20_000 });
  expect(await next.stop()).toEqual([0, null]);
});

test('Redis emptied while a receiver runs: its events are enqueued again, and the log says so without a body', async () => {
  const { redis, journalDir } = await setUp();
  const receiver = await aReceiver(redis, journalDir);
  const bodies = Array.from({ length: 100 }, (_, i) => `{"said":"words ${i}"}`);
  for (const body of bodies) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expect((await post(receiver.url, body)).status).toBe(200);
  }
  await untilBeaten(redis);
  await redis.run(['FLUSHALL']);
  expect(await untilQueued(redis, bodies.length)).toEqual(new Set(bodies));
  await vi.waitUntil(() => receiver.output().includes('Redis has lost events'), { timeout: 20_000 });
  expect(receiver.output()).not.toContain('words');
});

/** Waits until the receiver has written two beats to Redis: after these, events that it enqueued before count as taken. */
async function untilBeaten(redis: PrivateRedis): Promise<void> {
  const beat = async () => {
    const [key] = z.array(z.string()).parse(await redis.run(['KEYS', '*:beat:*']));
    return key === undefined ? null : redis.run(['GET', key]);
  };
  await vi.waitUntil(async () => (await beat()) !== null, { timeout: 20_000 });
  const first = await beat();
  await vi.waitUntil(async () => (await beat()) !== first, { timeout: 20_000 });
}
