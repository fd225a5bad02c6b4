import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { openConnection, statusesIn } from '../../../test/support/raw-connection.ts';
import { post, signed, WEBHOOK_PATH } from '../../../test/support/post.ts';
import { startPrivateRedis, type PrivateRedis } from '../../../test/support/private-redis.ts';
import { NO_FSYNC, startReceiver, type TestReceiver, valuesOf } from './support/a-receiver.ts';

const REQUEST_TIMEOUT_MS = 800;
const BODY = '{"type": "conversation.message"}';
const START = `POST ${WEBHOOK_PATH} HTTP/1.1\r\nhost: x\r\n`;
const SIGNED = Object.entries(signed(BODY)).map(([name, value]) => `${name}: ${value}\r\n`);

let redis: PrivateRedis;
let receiver: TestReceiver;
beforeAll(async () => {
  redis = await startPrivateRedis(NO_FSYNC);
  receiver = await startReceiver(redis.url, { requestTimeoutMs: REQUEST_TIMEOUT_MS });
});
afterAll(async () => {
  await receiver.close();
  await redis.remove();
});

function openConnections(): Promise<number> {
  return new Promise((resolve, reject) => {
    receiver.server.server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}

const slow = {
  'a body that stops': [`${START}${SIGNED.join('')}content-length: ${BODY.length}\r\n\r\n${BODY.slice(0, 5)}`, ''],
  'a body that trickles': [`${START}${SIGNED.join('')}content-length: 60000\r\n\r\n{`, ' '],
  'a chunked body that trickles': [`${START}${SIGNED.join('')}transfer-encoding: chunked\r\n\r\n`, '1\r\n \r\n'],
  'headers that stop': [`${START}x-a: b\r\n`, ''],
  'headers that trickle': [START, 'x-a: b\r\n'],
  'nothing at all': ['', ''],
} as const;
/** How many requests were late that had sent something. */
let late = 0;

/**
 * Begins a slow request, and serves another beside it. Undefined where that took this machine as long as a request may take: then both may be
 * late, and it tells nothing.
 */
async function slowBesideAnother(start: string, more: string) {
  const before = (await receiver.queued()).length;
  const began = performance.now();
  const connection = await openConnection(receiver.url);
  connection.write(start);
  const trickle = setInterval(() => more !== '' && connection.write(more), 20);
  onTestFinished(() => {
    clearInterval(trickle);
    connection.cut();
  });
  const other = await post(receiver.url, BODY, { headers: { connection: 'close' } });
  const meanwhile = [other.status, connection.received()];
  const isInTime = performance.now() - began < REQUEST_TIMEOUT_MS;
  await connection.ended;
  late += Number(start + more !== '') + Number(other.status === 408);
  return isInTime ? { before, connection, meanwhile } : undefined;
}

it.each(Object.entries(slow))('answers %s with 408, closes, and serves others meanwhile', async (_, [start, more]) => {
  const attempt = () => slowBesideAnother(start, more);
  const { before, connection, meanwhile } = await vi.waitUntil(attempt, { timeout: 20_000 });
  expect(meanwhile).toEqual([200, '']);
  expect(statusesIn(connection.received())).toEqual([408]);
  const [head, body = ''] = connection.received().split('\r\n\r\n');
  expect(head).toMatch(/^connection: close$/im);
  expect(JSON.parse(body)).toEqual({ code: 'request_timeout', message: expect.any(String) });
  // The sender goes on and keeps its side open; the receiver closes the connection all the same.
  await vi.waitUntil(async () => (await openConnections()) === 0, { timeout: 20_000 });
  expect((await receiver.queued()).length).toBe(before + 1);
});

it('closes a connection that speaks no HTTP', async () => {
  const connection = await openConnection(receiver.url);
  connection.write('\x16\x03\x01 this is TLS\r\n\r\n');
  await connection.ended;
  expect(statusesIn(connection.received())).toEqual([400]);
  await vi.waitUntil(async () => (await openConnections()) === 0, { timeout: 20_000 });
  connection.cut();
});

it('keeps a connection open that has had its answer and is idle', async () => {
  const connection = await openConnection(receiver.url);
  const request = `${START}${SIGNED.join('')}content-length: ${BODY.length}\r\n\r\n${BODY}`;
  connection.write(request);
  await vi.waitUntil(() => statusesIn(connection.received()).length === 1, { timeout: 20_000 });
  // Waits for as long as the receiver takes to close another connection.
  const silent = await openConnection(receiver.url);
  await silent.ended;
  silent.cut();
  connection.write(request);
  await vi.waitUntil(() => statusesIn(connection.received()).length === 2, { timeout: 20_000 });
  expect(statusesIn(connection.received())).toEqual([200, 200]);
  connection.cut();
});

it('counts each late request once, and none where the sender sent nothing', async () => {
  expect(late).toBeGreaterThanOrEqual(Object.keys(slow).length - 1);
  expect(await valuesOf(receiver, 'landline_events_rejected_total')).toEqual({ 'code="request_timeout"': late });
});
