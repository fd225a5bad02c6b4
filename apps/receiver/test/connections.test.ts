import { connect } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openConnection, rawPost, statusesIn, type RawConnection } from '../../../test/support/raw-connection.ts';
import { post, signed, WEBHOOK_PATH } from '../../../test/support/post.ts';
import { startPrivateRedis, type PrivateRedis } from '../../../test/support/private-redis.ts';
import { NO_FSYNC, startReceiver, type TestReceiver, valueOf, valuesOf } from './support/a-receiver.ts';

const MAX_CONNECTIONS = 32;
const BODY = '{"type": "conversation.message"}';
const REQUEST = rawPost(WEBHOOK_PATH, signed(BODY), BODY);

let redis: PrivateRedis;
let receiver: TestReceiver;
const opened: RawConnection[] = [];
beforeEach(async () => {
  redis = await startPrivateRedis(NO_FSYNC);
  receiver = await startReceiver(redis.url, { maxConnections: MAX_CONNECTIONS });
});
afterEach(async () => {
  for (const connection of opened.splice(0)) connection.cut();
  await receiver.close();
  await redis.remove();
});

async function open(text: string | Buffer = ''): Promise<RawConnection> {
  const connection = await openConnection(receiver.url);
  opened.push(connection);
  connection.write(text);
  return connection;
}

const openMany = (count: number, text: string | Buffer = '') =>
  Promise.all(Array.from({ length: count }, () => open(text)));
const count = () => valueOf(receiver, 'landline_connections');
const dropped = () => valuesOf(receiver, 'landline_connections_dropped_total');
const untilAnswered = (connection: RawConnection, answers = 1) =>
  vi.waitUntil(() => statusesIn(connection.received()).length >= answers, { timeout: 20_000 });

const untilReceiving = (bytes: number) =>
  vi.waitUntil(async () => (await valueOf(receiver, 'landline_receiving_bytes')) === bytes, { timeout: 20_000 });

it('connections that send nothing never keep an event out: the receiver drops the oldest of them', async () => {
  const first = await openMany(MAX_CONNECTIONS);
  const answers = [];
  for (let i = 0; i < 40; i++) {
    // oxlint-disable no-await-in-loop -- one after the other
    await open();
    answers.push((await post(receiver.url, BODY, { headers: { connection: 'close' } })).status);
    // oxlint-enable no-await-in-loop
  }
  expect(answers).toEqual(Array.from({ length: 40 }, () => 200));
  await Promise.all(first.map(({ ended }) => ended));
  expect(await count()).toBeLessThanOrEqual(MAX_CONNECTIONS);
  expect(Object.keys(await dropped())).toEqual(['state="silent"']);
  const lines = receiver.log().match(/MAX_CONNECTIONS/g);
  expect(lines).toHaveLength(1);
});

it('a connection that has had a 200 and is idle outlasts those that send nothing', async () => {
  const proven = await open(REQUEST);
  await untilAnswered(proven);
  await openMany(100);
  proven.write(REQUEST);
  await untilAnswered(proven, 2);
  expect(statusesIn(proven.received())).toEqual([200, 200]);
});

it('a connection that sends a signed body outlasts those that send nothing or no signature', async () => {
  const slow = await open(REQUEST.subarray(0, -1));
  await openMany(60);
  await openMany(60, 'GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n');
  await openMany(60, `POST ${WEBHOOK_PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n`);
  slow.write(REQUEST.subarray(-1));
  await untilAnswered(slow);
  expect(statusesIn(slow.received())).toEqual([200]);
});

it('slow senders never keep an event out: the receiver drops the body that has made no progress for the longest', async () => {
  const [oldest, second] = [await open(REQUEST.subarray(0, -1)), await open(REQUEST.subarray(0, -1))];
  await openMany(MAX_CONNECTIONS - 2, REQUEST.subarray(0, -1));
  await untilReceiving(MAX_CONNECTIONS * (BODY.length - 1));
  for (const victim of [oldest, second]) {
    // oxlint-disable no-await-in-loop -- one after the other
    const event = await open(REQUEST);
    await untilAnswered(event);
    expect(statusesIn(event.received())).toEqual([200]);
    await victim.ended;
    // oxlint-enable no-await-in-loop
  }
  expect(Object.keys(await dropped())).toEqual(['state="receiving"']);
});

it('no connection is dropped between the end of its request and its answer', async () => {
  await receiver.close();
  receiver = await startReceiver(redis.url, { maxConnections: MAX_CONNECTIONS, enqueueTimeoutMs: 60_000 });
  redis.freeze();
  const waiting = await openMany(MAX_CONNECTIONS, REQUEST);
  await untilReceiving(MAX_CONNECTIONS * BODY.length);
  const late = await openMany(50);
  await Promise.all(late.map(({ ended }) => ended));
  redis.thaw();
  await Promise.all(waiting.map((connection) => untilAnswered(connection)));
  expect(waiting.flatMap(({ received }) => statusesIn(received()))).toEqual(waiting.map(() => 200));
  expect(await dropped()).toEqual({ 'state="new"': 50 });
});

it('a connection with far more requests than answers is cut', async () => {
  redis.freeze();
  const connection = await open(Buffer.concat(Array.from({ length: 200 }, () => REQUEST)));
  await connection.ended;
  expect(await count()).toBe(0);
  expect(await valueOf(receiver, 'landline_receiving_bytes')).toBe(0);
  redis.thaw();
});

it('a connection whose sender never reads its answers is cut', async () => {
  const unread = await startReceiver(redis.url, { requestTimeoutMs: 300 });
  const { port } = new URL(unread.url);
  const socket = connect({ host: '127.0.0.1', port: Number(port) });
  socket.on('error', () => undefined).pause();
  // Node reads no further requests while answers are unread, so the buffers of both sides must fill first.
  const ask = 'GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(100);
  const asking = setInterval(() => socket.write(ask), 1);
  await new Promise<void>((resolve) => socket.once('close', resolve));
  clearInterval(asking);
  await expect.poll(() => valueOf(unread, 'landline_connections'), { timeout: 20_000 }).toBe(0);
  await unread.close();
});
