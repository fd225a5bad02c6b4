import { AlwaysOffSampler } from '@opentelemetry/sdk-trace-node';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { post, send, signed, WEBHOOK_PATH } from '../../../test/support/post.ts';
import { startPrivateRedis, type PrivateRedis } from '../../../test/support/private-redis.ts';
import { recordSpans } from '../../../test/support/recorded-spans.ts';
import { NO_FSYNC, startReceiver, type TestReceiverOptions } from './support/a-receiver.ts';

const MIB = 1024 * 1024;
const MESSAGE = JSON.stringify({
  type: 'conversation.message',
  data: { conversation_id: 'conv_1', role: 'user', message: 'call me at +12025550123' },
});

let redis: PrivateRedis;
beforeAll(async () => {
  redis = await startPrivateRedis(NO_FSYNC);
});
afterAll(() => redis.remove());

async function open(options: TestReceiverOptions = {}) {
  const receiver = await startReceiver(redis.url, options);
  onTestFinished(() => receiver.close());
  return receiver;
}

test('a request has one span, which its event names; it tells the type and the outcome, and nothing of the event', async () => {
  const { tracing, spans } = recordSpans();
  const receiver = await open({ tracing });
  expect((await post(receiver.url, MESSAGE)).status).toBe(200);
  const [span, ...others] = spans();
  expect(others).toEqual([]);
  expect(span).toMatchObject({
    name: `POST ${WEBHOOK_PATH}`,
    kind: 'SERVER',
    parentSpanId: undefined,
    isError: false,
    links: [],
    attributes: {
      'http.request.method': 'POST',
      'http.route': WEBHOOK_PATH,
      'url.path': WEBHOOK_PATH,
      'url.scheme': 'http',
      'network.protocol.version': '1.1',
      'http.request.body.size': Buffer.byteLength(MESSAGE),
      'http.response.status_code': 200,
      'landline.event.type': 'conversation.message',
      'landline.outcome': 'accepted',
    },
  });
  expect(span?.text).not.toMatch(/conv_1|call me|2025550123|127\.0\.0\.1/);
  const [event] = (await receiver.queued()).slice(-1);
  expect(event?.traceparent).toBe(`00-${span?.traceId}-${span?.spanId}-01`);
});

test("a sender's own span is linked to, and neither continued nor obeyed", async () => {
  const { tracing, spans } = recordSpans();
  const receiver = await open({ tracing });
  const traceparent = `00-${'c'.repeat(32)}-${'d'.repeat(16)}-00`;
  await post(receiver.url, MESSAGE, { headers: { traceparent } });
  await post(receiver.url, MESSAGE, { headers: { traceparent: 'no such thing' } });
  const [first, second] = spans();
  expect(first?.links).toMatchObject([{ traceId: 'c'.repeat(32), spanId: 'd'.repeat(16) }]);
  expect(first?.traceId).not.toBe('c'.repeat(32));
  expect(first?.parentSpanId).toBeUndefined();
  expect(second?.links).toEqual([]);
});

test('a request without a good signature makes no span: anybody can send it', async () => {
  const { tracing, spans } = recordSpans();
  const receiver = await open({ tracing });
  const answers = await Promise.all([
    send(receiver.url, { body: MESSAGE }),
    post(receiver.url, MESSAGE, { headers: signed('another body') }),
    send(receiver.url, { method: 'GET' }),
    send(receiver.url, { path: '/elsewhere' }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([401, 401, 405, 404]);
  expect(spans()).toEqual([]);
});

test('a request whose event cannot be stored has a failed span', async () => {
  const own = await startPrivateRedis(NO_FSYNC);
  onTestFinished(() => own.remove());
  const { tracing, spans } = recordSpans();
  const receiver = await startReceiver(own.url, { tracing });
  onTestFinished(() => receiver.close());
  await own.stop();
  expect((await post(receiver.url, MESSAGE)).status).toBe(503);
  const [span] = spans();
  expect(span).toMatchObject({
    isError: true,
    attributes: {
      'http.response.status_code': 503,
      'landline.outcome': 'unavailable',
      'error.type': 'QueueUnavailableError',
    },
  });
});

test.each([
  ['a body above a MiB', JSON.stringify({ type: 'post_call_transcription', pad: 'x'.repeat(2 * MIB) })],
  ['audio', JSON.stringify({ type: 'post_call_audio', data: { conversation_id: 'conv_2', full_audio: 'AAAA' } })],
])('%s takes the name of its span into the spool', async (_, body) => {
  const { tracing, spans } = recordSpans();
  const receiver = await open({ tracing, bodyLimitBytes: 8 * MIB });
  expect((await post(receiver.url, body)).status).toBe(200);
  const [span, ...others] = spans();
  expect(others).toEqual([]);
  expect(span?.attributes).toMatchObject({
    'landline.outcome': 'spooled',
    'http.request.body.size': Buffer.byteLength(body),
    'http.response.status_code': 200,
  });
  expect(receiver.spooled.map(({ facts }) => facts.traceparent)).toEqual([`00-${span?.traceId}-${span?.spanId}-01`]);
});

test.each([
  ['without an SDK', () => ({})],
  [
    'where the SDK does not record the request',
    () => ({ tracing: recordSpans({ sampler: new AlwaysOffSampler() }).tracing }),
  ],
])('%s an event is what it always was', async (_, options) => {
  const receiver = await open(options());
  await post(receiver.url, MESSAGE, { headers: { traceparent: `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01` } });
  const [event] = (await receiver.queued()).slice(-1);
  expect(Object.keys(event ?? {}).toSorted()).toEqual(['body', 'encoding', 'receivedAt', 'secretId', 'signedAt']);
});
