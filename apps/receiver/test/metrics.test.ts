import { afterAll, beforeAll, expect, it } from 'vitest';
import { post, send, signed } from '../../../test/support/post.ts';
import { startPrivateRedis, type PrivateRedis } from '../../../test/support/private-redis.ts';
import { NO_FSYNC, startReceiver, type TestReceiver, valueOf, valuesOf } from './support/a-receiver.ts';

let redis: PrivateRedis;
let receiver: TestReceiver;
/** What was counted for the console. */
const counted: Record<string, number> = {};
const activity = { count: (name: string, n = 1) => void (counted[name] = (counted[name] ?? 0) + n) };
beforeAll(async () => {
  redis = await startPrivateRedis(NO_FSYNC);
  receiver = await startReceiver(redis.url, { activity });
});
afterAll(async () => {
  await receiver.close();
  await redis.remove();
});

it('counts accepted events and, by code, refused requests', async () => {
  expect(await valueOf(receiver, 'landline_events_accepted_total')).toBe(0);
  await Promise.all([post(receiver.url, '{"n": 1}'), post(receiver.url, '{"n": 2}'), post(receiver.url, '[')]);
  await send(receiver.url, { body: '{}' });
  await send(receiver.url, { headers: { 'elevenlabs-signature': 'v0' }, body: '{}' });
  await send(receiver.url, { headers: signed('{}', 'x'.repeat(32)), body: '{}' });
  await send(receiver.url, { headers: signed('{}', undefined, 5), body: '{}' });
  await send(receiver.url, { method: 'GET' });
  await post(receiver.url, Buffer.alloc(100_000));
  await send(receiver.url, { path: '/elsewhere' });
  await redis.stop();
  await post(receiver.url, '{"n": 3}');
  expect(await valueOf(receiver, 'landline_events_accepted_total')).toBe(3);
  expect(await valuesOf(receiver, 'landline_events_rejected_total')).toEqual({
    'code="signature_missing"': 1,
    'code="signature_malformed"': 1,
    'code="signature_mismatch"': 1,
    'code="signature_expired"': 1,
    'code="method_not_allowed"': 1,
    'code="body_too_large"': 1,
    'code="unavailable"': 1,
  });
  expect(counted).toEqual({ accepted: 3, refused: 4 });
});
