import { openQueues } from '@landline/queue';
import { expect, it, onTestFinished, vi } from 'vitest';
import { startPrivateRedis } from '../../../../test/support/private-redis.ts';
import { createApp } from '../../src/app.ts';

const login = { user: 'admin', password: 'correct horse battery' };
const authorization = `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`;

it('says that Redis is away, keeps its pages open, and shows the queues again by itself', async () => {
  const redis = await startPrivateRedis();
  const queues = openQueues({ redisUrl: redis.url });
  const app = createApp({ shards: () => [queues], login });
  onTestFinished(async () => {
    await app.close();
    await queues.close();
    await redis.remove();
  });
  const ask = (url: string, headers: Record<string, string> = { authorization }) => app.inject({ url, headers });
  const statuses = async () =>
    Promise.all(['/queues', '/queues/api/queues', '/metrics'].map(async (url) => (await ask(url)).statusCode));
  expect(await statuses()).toEqual([200, 200, 200]);

  await redis.stop();
  expect(await statuses()).toEqual([200, 503, 200]);
  const answer = await ask('/queues/api/queues');
  expect(answer.headers['retry-after']).toBe('5');
  expect(answer.json()).toEqual({
    code: 'unavailable',
    error: 'Redis does not answer',
    message: expect.stringMatching(/REDIS_URL.*Error: \S+/),
  });
  const metrics = (await ask('/metrics')).body;
  expect(metrics).toContain('process_cpu_seconds_total');
  expect(metrics).not.toContain('landline_queue_jobs{');
  expect((await ask('/queues/api/queues', {})).statusCode).toBe(401);

  await redis.restart();
  await vi.waitUntil(async () => (await ask('/queues/api/queues')).statusCode === 200, { timeout: 20_000 });
  expect(await statuses()).toEqual([200, 200, 200]);
});
