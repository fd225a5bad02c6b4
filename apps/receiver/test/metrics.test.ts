import { afterAll, beforeAll, expect, it } from 'vitest';
import { post, send, signed } from '../../../test/support/post.ts';
import { startPrivateRedis, type PrivateRedis } from '../../../test/support/private-redis.ts';
import { countersOf, startReceiver, type TestReceiver } from './support/a-receiver.ts';

let redis: PrivateRedis;
let receiver: TestReceiver;
beforeAll(async () => {
  redis = await startPrivateRedis();
  receiver = await startReceiver(redis.url);
});
afterAll(async () => {
  await receiver.close();
  await redis.remove();
});

const rejected = (code: string) => `landline_events_rejected_total{code="${code}"}`;

it('speaks the text format of Prometheus', async () => {
  const { status, headers, body } = await send(receiver.url, { method: 'GET', path: '/metrics' });
  expect([status, headers['content-type']]).toEqual([200, expect.stringMatching(/^text\/plain; version=0\.0\.4/)]);
  expect(body).toContain('# TYPE landline_events_accepted_total counter');
  expect(body).toContain('# TYPE landline_events_rejected_total counter');
  expect(body).toContain('process_resident_memory_bytes');
});

it('counts what is accepted and, by code, what is not', async () => {
  expect(await countersOf(receiver.url)).toEqual({ landline_events_accepted_total: 0 });
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
  expect(await countersOf(receiver.url)).toEqual({
    landline_events_accepted_total: 3,
    [rejected('signature_missing')]: 1,
    [rejected('signature_malformed')]: 1,
    [rejected('signature_mismatch')]: 1,
    [rejected('signature_expired')]: 1,
    [rejected('method_not_allowed')]: 1,
    [rejected('body_too_large')]: 1,
    [rejected('unavailable')]: 1,
  });
});
