import { openAllQueues } from '@landline/queue';
import { expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { startPrivateRedis } from '../../../../test/support/private-redis.ts';
import { createApp } from '../../src/app.ts';

const login = { user: 'admin', password: 'correct horse battery' };
const authorization = `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`;
const queuesSchema = z.object({ queues: z.array(z.object({ name: z.string() })) });
const QUEUES = ['webhook-dead-letter', 'webhook-events', 'webhook-operations', 'webhook-rejected', 'webhook-requests'];
const WITHIN = { timeout: 20_000, interval: 20 };

async function aBoard(servers: number, queueShards?: number) {
  const all = await Promise.all(Array.from({ length: servers }, () => startPrivateRedis()));
  onTestFinished(async () => void (await Promise.all(all.map((server) => server.remove()))));
  const queues = openAllQueues({ redisUrl: all.map(({ url }) => url).join(','), queueShards });
  const app = createApp({ shards: () => queues.shards(), login });
  onTestFinished(async () => {
    await app.close();
    await queues.close();
  });
  await Promise.all(queues.shards().map(({ ping }) => ping()));
  const send = (method: 'GET' | 'PUT', url: string) => app.inject({ method, url, headers: { authorization } });
  return {
    all,
    queues,
    send,
    /** The names of the queues that the board shows. */
    names: async () =>
      queuesSchema
        .parse((await send('GET', '/queues/api/queues')).json())
        .queues.map(({ name }) => name)
        .toSorted(),
  };
}

it('names the queues of a single shard without its number', async () => {
  const { names } = await aBoard(1);
  expect(await names()).toEqual(QUEUES);
});

it('shows all shards with their numbers, and the others while one is away', async () => {
  const { all, names, send } = await aBoard(2);
  const both = QUEUES.flatMap((name) => [`${name}-0`, `${name}-1`]);
  expect(await names()).toEqual(both);
  await all[0]?.kill();
  await vi.waitUntil(async () => (await names()).join() === QUEUES.map((name) => `${name}-1`).join(), WITHIN);
  await all[0]?.restart();
  await vi.waitUntil(async () => (await names()).join() === both.join(), WITHIN);
  await Promise.all(all.map((server) => server.kill()));
  await vi.waitUntil(async () => (await send('GET', '/queues/api/queues')).statusCode === 503, WITHIN);
});

it('retries all dead letters of the shard that is named, and of no other', async () => {
  const { all, queues, send } = await aBoard(1, 2);
  for (const { deadLetters } of queues.shards()) {
    // oxlint-disable-next-line no-await-in-loop -- two
    await deadLetters.add('events', {}, { jobId: 'dead-1' });
  }
  // As they rest after an attempt.
  for (const shard of [0, 1]) {
    const key = `{landline:${shard}}:webhook-dead-letter`;
    // oxlint-disable-next-line no-await-in-loop -- two
    await all[0]?.run(['LREM', `${key}:wait`, '0', 'dead-1']);
    // oxlint-disable-next-line no-await-in-loop -- two
    await all[0]?.run(['ZADD', `${key}:failed`, '1', 'dead-1']);
  }
  const answer = await send('PUT', '/queues/api/queues/webhook-dead-letter-1/retry/failed');
  expect(answer.json()).toEqual({ retried: 1, skipped: 0 });
  const [zero, one] = queues.shards().map(({ deadLetters }) => deadLetters);
  await vi.waitUntil(async () => (await one?.getFailedCount()) === 0, WITHIN);
  expect(await zero?.getFailedCount()).toBe(1);
});
