import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { openConnection, rawPost, statusesIn, type RawConnection } from '../../../test/support/raw-connection.ts';
import { post, signed, WEBHOOK_PATH } from '../../../test/support/post.ts';
import { startPrivateRedis, type PrivateRedis } from '../../../test/support/private-redis.ts';
import { NO_FSYNC, startReceiver, type TestReceiver, valueOf, valuesOf } from './support/a-receiver.ts';

const MIB = 1024 * 1024;
const SMALL = '{"type": "conversation.message"}';
const START = `POST ${WEBHOOK_PATH} HTTP/1.1\r\nhost: x\r\n`;
// A fresh, well-formed signature: only with the body can the receiver verify it.
const SIGNED = Object.entries(signed('another body'))
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('');
const CHUNKED = `${START}${SIGNED}transfer-encoding: chunked\r\n\r\n`;

/** The head of a request whose body the test sends only in part. */
const declared = (bytes: number) => `${START}${SIGNED}content-length: ${bytes}\r\n\r\n`;
const aBody = (bytes: number) => JSON.stringify({ type: 'x', pad: 'y'.repeat(bytes) });

let redis: PrivateRedis;
let receiver: TestReceiver;
const opened: RawConnection[] = [];
beforeAll(async () => {
  redis = await startPrivateRedis(NO_FSYNC);
  receiver = await startReceiver(redis.url, {
    bodyLimitBytes: 16 * MIB,
    maxReceivingBytes: 16 * MIB,
    // Long enough for a busy machine to write everything before the cut while an answer is still pending.
    enqueueTimeoutMs: 10_000,
  });
});
afterEach(async () => {
  for (const connection of opened.splice(0)) connection.cut();
  await vi.waitUntil(async () => (await receivingBytes()) === 0, { timeout: 20_000 });
});
afterAll(async () => {
  await receiver.close();
  await redis.remove();
});

const receivingBytes = () => valueOf(receiver, 'landline_receiving_bytes');

/** Opens a connection, and sends `text` and then `bytes` bytes of a body. */
async function begin(text: string, bytes = 0): Promise<RawConnection> {
  const connection = await openConnection(receiver.url);
  opened.push(connection);
  connection.write(text);
  connection.write(Buffer.alloc(bytes, 'x'));
  return connection;
}

/** Opens `count` connections, each of which sends some bytes of a larger body and then nothing. */
async function stall(count: number, { bytes, of }: { bytes: number; of: number }): Promise<RawConnection[]> {
  const before = (await receivingBytes()) ?? 0;
  const stalled = await Promise.all(Array.from({ length: count }, () => begin(declared(of), bytes)));
  await vi.waitUntil(async () => ((await receivingBytes()) ?? 0) >= before + count * bytes, { timeout: 20_000 });
  return stalled;
}

const statuses = (connections: readonly RawConnection[]) =>
  connections.flatMap(({ received }) => statusesIn(received()));

describe('the header alone refuses, before a byte of the body has come,', () => {
  const heads = {
    'no signature': '',
    'a malformed one': 'elevenlabs-signature: t=1\r\n',
    'a stale one': `elevenlabs-signature: t=1,v0=${'0'.repeat(64)}\r\n`,
  };
  const lengths = { 'a large body': 'content-length: 100000', 'a chunked body': 'transfer-encoding: chunked' };
  for (const [signature, head] of Object.entries(heads)) {
    it.each(Object.entries(lengths))(`${signature} with %s, and closes`, async (_, length) => {
      const connection = await begin(`${START}${head}${length}\r\n\r\n`);
      await connection.ended;
      expect(statusesIn(connection.received())).toEqual([401]);
    });
    it(`${signature} with a small body, and the connection goes on`, async () => {
      const connection = await begin(`${START}${head}content-length: 1000\r\n\r\n`);
      await vi.waitUntil(() => statusesIn(connection.received()).length === 1, { timeout: 20_000 });
      connection.write(Buffer.alloc(1000, 'x'));
      connection.write(rawPost(WEBHOOK_PATH, signed(SMALL), SMALL));
      await vi.waitUntil(() => statusesIn(connection.received()).length === 2, { timeout: 20_000 });
      expect(statusesIn(connection.received())).toEqual([401, 200]);
    });
  }
});

describe('room for bodies', () => {
  it('is not taken by lengths that are only declared', async () => {
    await Promise.all(Array.from({ length: 64 }, () => begin(declared(16 * MIB))));
    expect(await post(receiver.url, aBody(3 * MIB))).toMatchObject({ status: 200 });
  });

  it('that small bodies hold which have stalled is given to other small ones', async () => {
    const first = await stall(18, { bytes: 900_000, of: 950_000 });
    // More than is free, and few enough that a Redis on a busy disk takes them in time.
    const many = await Promise.all(Array.from({ length: 20 }, () => post(receiver.url, aBody(100_000))));
    expect(new Set(many.map(({ status }) => status))).toEqual(new Set([200]));
    await expect.poll(() => new Set(statuses(first)), { timeout: 20_000 }).toEqual(new Set([408]));
  });

  it('is not kept by a sender that sends a byte now and then', async () => {
    const [trickling] = await stall(1, { bytes: 900_000, of: 950_000 });
    const trickle = setInterval(() => trickling?.write('x'), 5);
    await stall(17, { bytes: 900_000, of: 950_000 });
    expect(await post(receiver.url, aBody(900_000))).toMatchObject({ status: 200 });
    clearInterval(trickle);
    await expect.poll(() => statuses(trickling === undefined ? [] : [trickling]), { timeout: 20_000 }).toEqual([408]);
  });
});

describe('what a body held is given back once', () => {
  it.each([
    ['answered 200', SMALL, signed(SMALL), 200],
    ['answered 401', SMALL, signed('another'), 401],
  ])('%s', async (_, body, headers, status) => {
    expect(await post(receiver.url, body, { headers })).toMatchObject({ status });
    await expect.poll(receivingBytes, { timeout: 20_000 }).toBe(0);
  });

  it('answered 413, as it turned out too large', async () => {
    const connection = await begin(CHUNKED);
    const chunk = `${MIB.toString(16)}\r\n${'x'.repeat(MIB)}\r\n`;
    for (let i = 0; i < 17; i++) connection.write(chunk);
    await connection.ended;
    await expect.poll(receivingBytes, { timeout: 20_000 }).toBe(0);
  });

  it('answered 503, as Redis is away', async () => {
    const [{ 'code="unavailable"': before = 0 }] = [await valuesOf(receiver, 'landline_events_rejected_total')];
    await redis.stop();
    const answers = await Promise.all([post(receiver.url, aBody(100_000)), post(receiver.url, aBody(200_000))]);
    expect(answers.map(({ status }) => status)).toEqual([503, 503]);
    await expect.poll(receivingBytes, { timeout: 20_000 }).toBe(0);
    await redis.restart();
    await vi.waitUntil(async () => (await post(receiver.url, SMALL)).status === 200, { timeout: 20_000 });
    expect((await valuesOf(receiver, 'landline_events_rejected_total'))['code="unavailable"']).toBeGreaterThan(before);
  });

  it.each([
    ['a length', declared(900_000)],
    ['chunks', `${CHUNKED}${(900_000).toString(16)}\r\n`],
  ])('cut half-way, with %s', async (_, head) => {
    const connection = await begin(head, 500_000);
    await vi.waitUntil(async () => ((await receivingBytes()) ?? 0) > 0, { timeout: 20_000 });
    connection.cut();
    await expect.poll(receivingBytes, { timeout: 20_000 }).toBe(0);
  });

  it('cut behind a request whose answer is still owed: its own answer never has the socket', async () => {
    redis.freeze();
    for (let i = 0; i < 8; i++) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const connection = await begin('');
      const whole = rawPost(WEBHOOK_PATH, signed(SMALL), SMALL);
      connection.write(Buffer.concat([whole, rawPost(WEBHOOK_PATH, signed(aBody(10)), aBody(10)), whole]));
      connection.write(declared(MIB));
      connection.write(Buffer.alloc(900_000, 'x'));
    }
    await vi.waitUntil(async () => ((await receivingBytes()) ?? 0) > 8 * 900_000, { timeout: 20_000, interval: 10 });
    for (const connection of opened) connection.cut();
    await expect.poll(receivingBytes, { timeout: 20_000 }).toBe(0);
    redis.thaw();
    await vi.waitUntil(async () => (await post(receiver.url, SMALL)).status === 200, { timeout: 20_000 });
    await expect.poll(receivingBytes, { timeout: 20_000 }).toBe(0);
    // The receiver gave back exactly what the bodies held: the whole budget can be used again.
    await stall(17, { bytes: 900_000, of: 950_000 });
    const before = await receivingBytes();
    expect(before).toBe(17 * 900_000);
    expect(await post(receiver.url, aBody(900_000))).toMatchObject({ status: 200 });
  });
});
