import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createLogger } from '@landline/process';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { post, SECRET, WEBHOOK_PATH } from '../../../test/support/post.ts';
import { startPrivateRedis, type PrivateRedis } from '../../../test/support/private-redis.ts';
import { startCanary, type CanaryOptions } from '../src/canary.ts';
import { NO_FSYNC, startReceiver, type TestReceiver, valueOf, valuesOf } from './support/a-receiver.ts';

const INTERVAL_MS = 50;
const LONG_WAIT = { timeout: 20_000 };
/** The secret of a test's own canaries, by which the test knows them. */
const SECRETS = [SECRET, '1'.repeat(32), '2'.repeat(32)] as const;

let redis: PrivateRedis;
let receiver: TestReceiver;
beforeAll(async () => {
  redis = await startPrivateRedis(NO_FSYNC);
  receiver = await startReceiver(redis.url, { secrets: SECRETS });
});
afterAll(async () => {
  await receiver.close();
  await redis.remove();
});

/** Starts a sender of canaries that stops when the test ends. Returns it with the messages that it logs. */
function send(origin: string, secrets: readonly string[] = [SECRET], options: Partial<CanaryOptions> = {}) {
  const messages: string[] = [];
  const write = (line: string) => void messages.push(String(JSON.parse(line).msg));
  const logger = createLogger({ name: 'receiver', level: 'trace', destination: { write } });
  const canary = startCanary({ url: `${origin}${WEBHOOK_PATH}`, secrets, intervalMs: INTERVAL_MS, logger, ...options });
  onTestFinished(() => canary.stop());
  return { messages, stop: () => canary.stop() };
}

it('sends events that the route verifies and enqueues like any other, and neither counts nor names', async () => {
  const begun = Date.now();
  const canary = send(receiver.url, SECRETS);
  const queued = await vi.waitUntil(async () => {
    const events = await receiver.queued();
    return events.length >= 3 && events;
  }, LONG_WAIT);
  expect(new Set(queued.map(({ secretId }) => secretId))).toEqual(new Set([idOf(SECRET)]));
  for (const { body } of queued) {
    const { type, event_timestamp: sentAt } = JSON.parse(body);
    expect(type).toBe('landline.canary');
    expect(Math.round(sentAt * 1000)).toBeGreaterThanOrEqual(begun);
    expect(Math.round(sentAt * 1000)).toBeLessThanOrEqual(Date.now());
  }
  expect(new Set(queued.map(({ body }) => body)).size).toBe(queued.length);
  await post(receiver.url, '{"type": "conversation.started"}');
  expect(await valueOf(receiver, 'landline_events_accepted_total')).toBe(1);
  expect(await valuesOf(receiver, 'landline_events_rejected_total')).toEqual({});
  expect(receiver.log().match(/📥.*?(?=")/g)).toEqual(['📥 ElevenLabs Webhook received: conversation.started']);
  expect(canary.messages).toEqual([]);
});

it('warns once when they are not answered 200, and says when they are again', async () => {
  const canary = send(receiver.url);
  await redis.stop();
  await vi.waitUntil(() => canary.messages.length > 0, LONG_WAIT);
  await vi.waitUntil(async () => (await rejections()) >= 3, LONG_WAIT);
  expect(canary.messages).toEqual(['The canary was not taken: the answer was 503']);
  await redis.restart();
  await vi.waitUntil(() => canary.messages.length > 1, LONG_WAIT);
  expect(canary.messages.slice(1)).toEqual(['The canary is taken again']);
});

it('warns when no answer comes, in time or at all, and goes on', async () => {
  let isSilent = true;
  const server = createServer((_request, response) => {
    if (!isSilent) response.end();
  }).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const canary = send(`http://127.0.0.1:${port}`, [SECRET], { answerLimitMs: 1000 });
  await vi.waitUntil(() => canary.messages.length > 0, LONG_WAIT);
  expect(canary.messages).toEqual(['The canary was not taken: no answer in 1 s']);
  isSilent = false;
  await vi.waitUntil(() => canary.messages.length > 1, LONG_WAIT);
  server.close();
  server.closeAllConnections();
  await vi.waitUntil(() => canary.messages.length > 2, LONG_WAIT);
  expect(canary.messages.slice(1)).toEqual([
    'The canary is taken again',
    expect.stringMatching(/^The canary was not taken: .*(ECONNREFUSED|ECONNRESET|hang up)/),
  ]);
});

it('warns of a secret that the route does not know', async () => {
  const canary = send(receiver.url, ['x'.repeat(32)]);
  await vi.waitUntil(() => canary.messages.length > 0, LONG_WAIT);
  expect(canary.messages).toEqual(['The canary was not taken: the answer was 401']);
});

it('sends none before one interval is over, and none once it is stopped', async () => {
  const canaries = async (at: 0 | 1 | 2) =>
    (await receiver.queued()).filter(({ secretId }) => secretId === idOf(SECRETS[at]));
  send(receiver.url, [SECRETS[1]], { intervalMs: 3_600_000 });
  const stopped = send(receiver.url, [SECRETS[2]]);
  await vi.waitUntil(async () => (await canaries(2)).length > 1, LONG_WAIT);
  stopped.stop();
  const before = (await canaries(2)).length;
  send(receiver.url);
  const others = (await canaries(0)).length;
  await vi.waitUntil(async () => (await canaries(0)).length > others + 5, LONG_WAIT);
  expect(await canaries(1)).toEqual([]);
  // A canary may have been under way.
  expect((await canaries(2)).length).toBeLessThanOrEqual(before + 1);
});

/** Returns the id by which a job names a secret. */
function idOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex').slice(0, 8);
}

async function rejections(): Promise<number> {
  return (await valuesOf(receiver, 'landline_events_rejected_total'))['code="unavailable"'] ?? 0;
}
