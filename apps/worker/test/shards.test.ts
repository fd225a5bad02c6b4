import { createIntake } from '@landline/intake';
import { createLogger } from '@landline/process';
import { createDeadLetters, openAllQueues, type QueueServers } from '@landline/queue';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { createDatabase } from '../../../test/support/database.ts';
import { startPrivateRedis } from '../../../test/support/private-redis.ts';
import { runSql } from '../../../test/support/run-sql.ts';
import { createWorker } from '../src/worker.ts';
import { delivery, message } from './support/work.ts';

const WITHIN = { timeout: 20_000, interval: 20 };

/** A database, and what sends events to shards and applies them; all is closed when the test ends. */
async function aLine() {
  const database = await createDatabase(inject('databaseUrl'));
  onTestFinished(() => database.drop());
  const lines: string[] = [];
  const logger = createLogger({
    name: 'worker',
    level: 'info',
    destination: { write: (line) => void lines.push(line) },
  });
  return {
    log: () => lines.join(''),
    rows: async () => Number((await runSql(database.url, 'SELECT count(*) FROM conversation_messages'))[0]?.['count']),
    dead: async () =>
      Number((await runSql(database.url, `SELECT count(*) FROM webhook_events WHERE outcome = 'dead'`))[0]?.['count']),
    async send(servers: QueueServers, events: ReturnType<typeof message>[]) {
      const intake = createIntake({ ...servers, batchMaxEvents: 1, batchMaxBytes: 9_999, enqueueTimeoutMs: 5_000 });
      await intake.start();
      for (const event of events) {
        // oxlint-disable-next-line no-await-in-loop -- so that each shard has some
        await intake.accept(event);
      }
      await intake.close();
    },
    work(servers: QueueServers) {
      const worker = createWorker({ databaseUrl: database.url, ...servers, concurrency: 4, logger });
      onTestFinished(() => worker.stop({ timeoutMs: 2_000 }));
      worker.start();
      return worker;
    },
  };
}

const texts = (name: string, count: number) => Array.from({ length: count }, (_, i) => message('c', `${name} ${i}`));

async function startServers(count: number) {
  const all = await Promise.all(Array.from({ length: count }, () => startPrivateRedis()));
  onTestFinished(async () => void (await Promise.all(all.map((server) => server.remove()))));
  return { all, redisUrl: all.map(({ url }) => url).join(',') };
}

/** The names of the samples of landline_queue_jobs that are above 0. */
const jobsIn = (metrics: string) =>
  [...metrics.matchAll(/^landline_queue_jobs\{(.*)\} [1-9]/gm)].map(([, labels]) => labels);

test('applies the events of every shard, and goes on while one server is away', async () => {
  const { all, redisUrl } = await startServers(2);
  const line = await aLine();
  await line.send({ redisUrl }, texts('before', 20));
  const worker = line.work({ redisUrl });
  await vi.waitUntil(async () => (await line.rows()) === 20, WITHIN);
  await all[1]?.kill();
  await line.send({ redisUrl }, texts('meanwhile', 20));
  await vi.waitUntil(async () => (await line.rows()) === 40, WITHIN);
  expect(await worker.health.isLive()).toBe(true);
  await expect
    .poll(() => worker.health.readiness(), WITHIN)
    .toEqual({ status: 'ready', redis: 'ready', postgres: 'ready' });
  await all[1]?.restart();
  await line.send({ redisUrl }, texts('after', 20));
  await vi.waitUntil(async () => (await line.rows()) === 60, WITHIN);
});

test.each([
  ['four shards to one', 4, 1],
  ['one shard to four', 1, 4],
])(
  'from %s: applies what the old shards hold, and their dead letters stay where a person finds them',
  async (_, from, to) => {
    const { redisUrl } = await startServers(1);
    const line = await aLine();
    const first = line.work({ redisUrl, queueShards: from });
    await line.send(
      { redisUrl, queueShards: from },
      Array.from({ length: 4 }, (_each, i) => delivery(`no json ${i}`)),
    );
    await vi.waitUntil(async () => (await line.dead()) === 4, WITHIN);
    await vi.waitUntil(
      async () => jobsIn(await first.metrics.registry.metrics()).some((labels) => labels?.includes('failed')),
      WITHIN,
    );
    await first.stop({ timeoutMs: 2_000 });
    await line.send({ redisUrl, queueShards: from }, texts('old', 20));

    const second = line.work({ redisUrl, queueShards: to });
    await line.send({ redisUrl, queueShards: to }, texts('new', 20));
    await vi.waitUntil(async () => (await line.rows()) === 40, WITHIN);
    expect(line.log()).toContain('jobs of a shard that no new jobs go to');

    const queues = openAllQueues({ redisUrl, queueShards: to });
    onTestFinished(() => queues.close());
    // A queue that was just opened has no connection yet.
    const resting = async () => {
      const counts = await Promise.all(
        queues.shards().map(({ deadLetters }) => deadLetters.getFailedCount().catch(() => NaN)),
      );
      return counts.reduce((sum, count) => sum + count, 0);
    };
    await vi.waitUntil(async () => (await resting()) === 4, WITHIN);
    // Retry works for letters of an old shard.
    await pressRetryAll(queues);
    await vi.waitUntil(async () => (await resting()) === 4, WITHIN);
    expect(await second.health.isLive()).toBe(true);
  },
);

/** Presses Retry all on each shard, and waits until each letter rests again after one more attempt. */
async function pressRetryAll(queues: ReturnType<typeof openAllQueues>): Promise<void> {
  for (const { deadLetters, retryAll } of queues.shards()) {
    // oxlint-disable-next-line no-await-in-loop -- five at most
    const moved = await retryAll(deadLetters, 'failed');
    // oxlint-disable-next-line no-await-in-loop -- five at most
    await vi.waitUntil(async () => {
      const resting = await deadLetters.getFailed();
      return resting.length === moved && resting.every(({ attemptsStarted }) => attemptsStarted >= 2);
    }, WITHIN);
  }
}

test('makes a dead letter on another shard where its own is away', async () => {
  const { all, redisUrl } = await startServers(2);
  const letters = createDeadLetters({ redisUrl });
  onTestFinished(() => letters.close());
  const event = delivery('no json');
  const ids = ['00000000-0000-0000-0000-000000000000', '00000001-0000-0000-0000-000000000000'];
  await letters.add(ids.map((id) => ({ id, event })));
  const count = async (shard: number) =>
    Number(await all[shard]?.run(['LLEN', `{landline:${shard}}:webhook-dead-letter:wait`]));
  expect([await count(0), await count(1)]).toEqual([1, 1]);
  await all[1]?.kill();
  await letters.add([{ id: '00000003-0000-0000-0000-000000000000', event }]);
  expect(await count(0)).toBe(2);
  await expect(letters.missing(ids)).rejects.toThrow('Redis does not tell');
});
