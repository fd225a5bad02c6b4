import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { startApp } from '../../../test/support/app-process.ts';
import { openConnection, rawPost } from '../../../test/support/raw-connection.ts';
import { post, SECRET, send, signed, WEBHOOK_PATH } from '../../../test/support/post.ts';
import { startPrivateRedis, type PrivateRedis } from '../../../test/support/private-redis.ts';
import { NO_FSYNC, startReceiver } from './support/a-receiver.ts';

const BODY = '{"type": "conversation.message"}';

let redis: PrivateRedis;
beforeAll(async () => {
  redis = await startPrivateRedis(NO_FSYNC);
});
afterAll(() => redis.remove());

const readiness = (origin: string) => send(origin, { method: 'GET', path: '/health/ready' });

it.each([0, 5])('a draining receiver serves on for waitMs, when %i strangers ask for readiness', async (strangers) => {
  // A busy disk may hold Redis' fsync up for longer than the half second of other tests.
  const receiver = await startReceiver(redis.url, { enqueueTimeoutMs: 10_000 });
  const before = (await receiver.queued()).length;
  const waitMs = 2500;
  const begun = performance.now();
  let drainedMs = 0;
  const drained = receiver.drain({ waitMs, timeoutMs: 10_000 }).then(() => (drainedMs = performance.now() - begun));
  for (let i = 0; i < strangers; i++) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expect(await readiness(receiver.url)).toMatchObject({ status: 503, headers: { connection: 'close' } });
  }
  // A balancer that has not noticed yet goes on to send.
  let accepted = 0;
  while (performance.now() - begun < waitMs - 1000) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expect((await post(receiver.url, BODY)).status).toBe(200);
    accepted++;
  }
  await drained;
  expect(accepted).toBeGreaterThan(0);
  // Timers may be a millisecond early.
  expect(drainedMs).toBeGreaterThanOrEqual(waitMs - 5);
  await expect(post(receiver.url, BODY)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  expect(await receiver.queued()).toHaveLength(before + accepted);
  await receiver.intake.close();
});

it('a receiver that never listened does not wait', async () => {
  const receiver = await startReceiver(redis.url);
  await receiver.server.close();
  await receiver.drain({ waitMs: 2 ** 31 - 1, timeoutMs: 10_000 });
  expect(receiver.isDraining()).toBe(true);
  await receiver.intake.close();
});

it('a receiver stops in order with code 0 after DRAIN_SECONDS though a sender never finishes', async () => {
  const env = { ELEVENLABS_WEBHOOK_SECRET: SECRET, REDIS_URL: redis.url, DRAIN_SECONDS: '1' };
  const receiver = await startApp('receiver', { env });
  onTestFinished(() => receiver.kill('SIGKILL'));
  const slow = await openConnection(receiver.url);
  slow.write(rawPost(WEBHOOK_PATH, signed(BODY), BODY).subarray(0, -1));
  receiver.kill('SIGTERM');
  await vi.waitUntil(async () => (await readiness(receiver.url)).status === 503, { timeout: 20_000, interval: 10 });
  expect((await fetch(`${receiver.healthUrl}/health/ready`)).status).toBe(503);
  expect(await receiver.exited).toEqual([0, null]);
  slow.cut();
});
