import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { post, send, type Answer } from '../../../test/support/post.ts';
import { startPrivateRedis, type PrivateRedis } from '../../../test/support/private-redis.ts';
import { NO_FSYNC, startReceiver, type TestReceiver } from './support/a-receiver.ts';

let redis: PrivateRedis;
let receiver: TestReceiver;
beforeEach(async () => {
  redis = await startPrivateRedis(NO_FSYNC);
  receiver = await startReceiver(redis.url);
});
afterEach(async () => {
  await receiver.close();
  await redis.remove();
});

async function readiness(): Promise<number> {
  return (await send(receiver.url, { method: 'GET', path: '/health/ready' })).status;
}

function expectUnavailable({ status, headers, body }: Answer): void {
  expect(status).toBe(503);
  expect(headers['retry-after']).toMatch(/^[1-9]\d*$/);
  expect(JSON.parse(body)).toEqual({ code: 'unavailable', message: expect.any(String) });
}

async function untilAcceptedAgain(): Promise<void> {
  await vi.waitUntil(async () => (await readiness()) === 200, { timeout: 20_000 });
  expect(await post(receiver.url, '{"after": "the outage"}')).toMatchObject({ status: 200 });
  expect((await receiver.queued()).at(-1)?.body).toBe('{"after": "the outage"}');
}

it('answers 503 while Redis is down, and 200 by itself when it is back', async () => {
  expect([await readiness(), (await post(receiver.url, '{"n": 1}')).status]).toEqual([200, 200]);
  await redis.stop();
  expectUnavailable(await post(receiver.url, '{"n": 2}'));
  expect(await readiness()).toBe(503);
  expect(await send(receiver.url, { method: 'GET', path: '/health/live' })).toMatchObject({ status: 200 });
  const many = await Promise.all(Array.from({ length: 100 }, () => post(receiver.url, '{"n": 3}')));
  many.forEach(expectUnavailable);

  await redis.restart();
  await untilAcceptedAgain();
  // The queue has every accepted event and no refused one.
  expect((await receiver.queued()).map(({ body }) => body)).toEqual(['{"n": 1}', '{"after": "the outage"}']);
});

it('answers 503 while Redis still hangs', async () => {
  redis.freeze();
  const answers = await Promise.all([post(receiver.url, '{}'), post(receiver.url, '{}'), post(receiver.url, '{}')]);
  answers.forEach(expectUnavailable);
  expect(await readiness()).toBe(503);
  redis.thaw();
  await untilAcceptedAgain();
});

it('answers 503 while Redis is out of memory', async () => {
  await redis.run(['CONFIG', 'SET', 'maxmemory', '1']);
  expectUnavailable(await post(receiver.url, '{}'));
  expect(await readiness()).toBe(503);
  await redis.run(['CONFIG', 'SET', 'maxmemory', '0']);
  await untilAcceptedAgain();
});

it('answers 503 while Redis is a replica', async () => {
  await redis.run(['REPLICAOF', '127.0.0.1', '1']);
  expectUnavailable(await post(receiver.url, '{}'));
  expect(await readiness()).toBe(503);
  await redis.run(['REPLICAOF', 'NO', 'ONE']);
  await untilAcceptedAgain();
});

it('answers 503 when Redis comes back with a policy that evicts', async () => {
  await redis.run(['CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru']);
  await redis.run(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']);
  await vi.waitUntil(() => receiver.intake.status() === 'refused', { timeout: 20_000 });
  expectUnavailable(await post(receiver.url, '{}'));
  expect(receiver.log()).toContain('CONFIG SET maxmemory-policy noeviction');
  await redis.run(['CONFIG', 'SET', 'maxmemory-policy', 'noeviction']);
  await untilAcceptedAgain();
});

it('refuses a bad signature with 401 all the same', async () => {
  await redis.stop();
  expect(await send(receiver.url, { body: '{}' })).toMatchObject({ status: 401 });
});

it('logs an outage once, and nothing of an event', async () => {
  await redis.stop();
  for (let i = 0; i < 5; i++) await post(receiver.url, `{"said": "the caller's words ${i}"}`);
  const lines = receiver
    .log()
    .split('\n')
    .filter((line) => line.includes('"level":50'));
  expect(lines.length).toBeGreaterThan(0);
  expect(new Set(lines.map((line) => JSON.parse(line).msg)).size).toBe(lines.length);
  expect(receiver.log()).not.toContain("the caller's words");
});
