import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openConnection, rawPost, statusesIn } from '../../../test/support/raw-connection.ts';
import { send, signed, WEBHOOK_PATH } from '../../../test/support/post.ts';
import { startPrivateRedis, type PrivateRedis } from '../../../test/support/private-redis.ts';
import { NO_FSYNC, startReceiver } from './support/a-receiver.ts';

const BODY = '{"type": "conversation.message"}';

let redis: PrivateRedis;
beforeAll(async () => {
  redis = await startPrivateRedis(NO_FSYNC);
});
afterAll(() => redis.remove());

it('answers what is under way with 200 and closes, then the port is closed', async () => {
  const receiver = await startReceiver(redis.url);
  const request = rawPost(WEBHOOK_PATH, signed(BODY), BODY);
  const [atTheEnd, inTheMiddle, idle] = await Promise.all([
    openConnection(receiver.url),
    openConnection(receiver.url),
    openConnection(receiver.url),
  ]);
  idle.write(request);
  await vi.waitUntil(() => idle.received() !== '', { timeout: 20_000 });
  inTheMiddle.write(request.subarray(0, -10));
  atTheEnd.write(request.subarray(0, -1));
  await untilArrived(receiver.url);

  const drained = receiver.drain({ waitMs: 0, timeoutMs: 10_000 });
  await idle.ended;
  inTheMiddle.write(request.subarray(-10));
  atTheEnd.write(request.subarray(-1));
  await Promise.all([inTheMiddle.ended, atTheEnd.ended, drained]);
  for (const connection of [inTheMiddle, atTheEnd]) {
    expect(statusesIn(connection.received())).toEqual([200]);
    expect(connection.received()).toMatch(/^connection: close\r$/im);
    connection.cut();
  }
  idle.cut();
  await expect(send(receiver.url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  expect(await receiver.queued()).toHaveLength(3);
  await receiver.intake.close();
});

it('says that it is not ready while it drains', async () => {
  const receiver = await startReceiver(redis.url);
  const connection = await openConnection(receiver.url);
  connection.write('GET /health/ready HTTP/1.1\r\nhost: x\r\n');
  await untilArrived(receiver.url);
  const drained = receiver.drain({ waitMs: 0, timeoutMs: 10_000 });
  connection.write('\r\n');
  await Promise.all([connection.ended, drained]);
  expect(statusesIn(connection.received())).toEqual([503]);
  expect(connection.received()).toMatch(/\r\n\r\n\{"status":"draining"\}$/);
  connection.cut();
  await receiver.intake.close();
});

it('waits no longer than timeoutMs for a request that never arrives in full', async () => {
  const receiver = await startReceiver(redis.url);
  const [silent, slow] = await Promise.all([openConnection(receiver.url), openConnection(receiver.url)]);
  slow.write(rawPost(WEBHOOK_PATH, signed(BODY), BODY).subarray(0, -1));
  await untilArrived(receiver.url);
  await receiver.drain({ waitMs: 0, timeoutMs: 100 });
  await Promise.all([silent.ended, slow.ended]);
  expect(silent.received() + slow.received()).toBe('');
  silent.cut();
  slow.cut();
  await receiver.intake.close();
});

it('gives every answer that it owes, however many are under way', async () => {
  const receiver = await startReceiver(redis.url);
  const before = (await receiver.queued()).length;
  const request = rawPost(WEBHOOK_PATH, signed(BODY), BODY);
  const connections = await Promise.all(Array.from({ length: 200 }, () => openConnection(receiver.url)));
  // The last byte of each request comes after the drain has begun.
  for (const connection of connections) connection.write(request.subarray(0, -1));
  await untilArrived(receiver.url);
  const drained = receiver.drain({ waitMs: 0, timeoutMs: 10_000 });
  for (const connection of connections) connection.write(request.subarray(-1));
  await Promise.all(connections.map(({ ended }) => ended));
  expect(connections.map(({ received }) => statusesIn(received()))).toEqual(connections.map(() => [200]));
  for (const connection of connections) connection.cut();
  await drained;
  expect((await receiver.queued()).length).toBe(before + connections.length);
  await receiver.intake.close();
});

/** Waits for the answer to a later request: by then the receiver has read what other connections sent before. */
async function untilArrived(origin: string): Promise<void> {
  for (let i = 0; i < 3; i++)
    await send(origin, { method: 'GET', path: '/health/live', headers: { connection: 'close' } });
}
