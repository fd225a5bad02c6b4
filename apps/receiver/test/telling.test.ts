import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { startApp } from '../../../test/support/app-process.ts';
import { openConnection, rawPost } from '../../../test/support/raw-connection.ts';
import { post, SECRET, send, signed, WEBHOOK_PATH } from '../../../test/support/post.ts';
import { startPrivateRedis, type PrivateRedis } from '../../../test/support/private-redis.ts';
import { createReadinessWatch } from '../src/readiness-watch.ts';
import { startReceiver } from './support/a-receiver.ts';

const BODY = '{"type": "conversation.message"}';

let redis: PrivateRedis;
beforeAll(async () => {
  redis = await startPrivateRedis();
});
afterAll(() => redis.remove());

const readiness = (origin: string) => send(origin, { method: 'GET', path: '/health/ready' });

it('a receiver whose readiness is watched serves on until the watcher knows, and a moment more', async () => {
  const receiver = await startReceiver(redis.url);
  expect((await readiness(receiver.url)).status).toBe(200);
  let isDrained = false;
  const drained = receiver.drain({ timeoutMs: 10_000 }).then(() => (isDrained = true));
  expect((await post(receiver.url, BODY)).status).toBe(200);
  expect(await readiness(receiver.url)).toMatchObject({ status: 503, headers: { connection: 'close' } });
  // Sent by a balancer that has not acted yet.
  expect((await post(receiver.url, BODY)).status).toBe(200);
  expect(isDrained).toBe(false);
  await drained;
  await expect(post(receiver.url, BODY)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  expect(await receiver.queued()).toHaveLength(2);
  await receiver.producer.close();
});

it('a watcher that does not come back is not waited for beyond the limit', async () => {
  const receiver = await startReceiver(redis.url);
  await readiness(receiver.url);
  await receiver.drain({ timeoutMs: 300 });
  await expect(readiness(receiver.url)).rejects.toThrow(/ECONNREFUSED|socket hang up/);
  await receiver.producer.close();
});

it('whoever asked long ago, or never, is not waited for', async () => {
  let now = 0;
  const watch = createReadinessWatch(() => now);
  await watch.untilTold({ timeoutMs: 2 ** 31 - 1 });
  watch.asked({ isDraining: false });
  now = 15_001;
  await watch.untilTold({ timeoutMs: 2 ** 31 - 1 });
  expect(now).toBe(15_001);
});

it('leaves within 10 s with code 0 though a watcher never comes back and a sender never finishes', async () => {
  const receiver = await startApp('receiver', { env: { ELEVENLABS_WEBHOOK_SECRET: SECRET, REDIS_URL: redis.url } });
  onTestFinished(() => receiver.kill('SIGKILL'));
  const slow = await openConnection(receiver.url);
  slow.write(rawPost(WEBHOOK_PATH, signed(BODY), BODY).subarray(0, -1));
  await readiness(receiver.url);
  const begun = performance.now();
  expect(await receiver.stop()).toEqual([0, null]);
  expect(performance.now() - begun).toBeLessThan(10_000);
  slow.cut();
});
