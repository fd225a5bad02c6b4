import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SpoolError } from '@landline/recordings';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { openConnection, statusesIn, type RawConnection } from '../../../test/support/raw-connection.ts';
import { post, signed, WEBHOOK_PATH } from '../../../test/support/post.ts';
import { startPrivateRedis, type PrivateRedis } from '../../../test/support/private-redis.ts';
import { startReceiver, type TestReceiver } from './support/a-receiver.ts';

const MIB = 1024 * 1024;
// A fresh, well-formed signature: a stranger can write one.
const SIGNED = Object.entries(signed('another body'))
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('');
const START = `POST ${WEBHOOK_PATH} HTTP/1.1\r\nhost: x\r\n${SIGNED}`;
const CHUNKED = `${START}transfer-encoding: chunked\r\n\r\n`;
const declared = (bytes: number) => `${START}content-length: ${bytes}\r\n\r\n`;
const aBody = (bytes: number) => JSON.stringify({ type: 'x', pad: 'y'.repeat(bytes) });

let redis: PrivateRedis;
let receiver: TestReceiver;
const opened: RawConnection[] = [];
beforeAll(async () => {
  redis = await startPrivateRedis();
  receiver = await startReceiver(redis.url, {
    bodyLimitBytes: 24 * MIB,
    requestTimeoutMs: 1500,
    minBytesPerSecond: 100_000,
  });
});
afterEach(async () => {
  for (const connection of opened.splice(0)) connection.cut();
  for (const body of receiver.spooled) await body.remove();
  await vi.waitUntil(async () => receiver.spool.stats().bytes === 0 && (await files()).length === 0, {
    timeout: 20_000,
  });
});
afterAll(async () => {
  await receiver.close();
  await redis.remove();
});

/** The files in the spool, without the socket that holds its folder. */
async function files(): Promise<string[]> {
  const [owner = ''] = await readdir(receiver.spoolDir);
  return (await readdir(join(receiver.spoolDir, owner))).filter((name) => name !== 'lock');
}

async function connect(): Promise<RawConnection> {
  const connection = await openConnection(receiver.url);
  opened.push(connection);
  return connection;
}

describe('a request behind a large body on the same connection', () => {
  // The last piece of the large body waits for the disk while the next request begins.
  it.each([
    ['of a few bytes', 10],
    ['of a large body', 2 * MIB],
  ])('%s that stops is given up like any other', async (_, bytes) => {
    const connection = await connect();
    connection.write(`${declared(MIB + 1)}${'x'.repeat(MIB + 1)}${declared(20 * MIB)}`);
    connection.write('y'.repeat(bytes));
    await expect.poll(() => statusesIn(connection.received()), { timeout: 20_000 }).toEqual([401, 408]);
  });
});

describe('a body in chunks of one byte', () => {
  it('costs memory and time like its bytes, and keeps nobody from the spool', async () => {
    const connection = await connect();
    const bytes = 2 * MIB;
    connection.write(CHUNKED + '1\r\nx\r\n'.repeat(bytes));
    await expect.poll(() => receiver.spool.stats().bytes, { timeout: 50_000 }).toBeGreaterThan(bytes - 1000);
    expect(await post(receiver.url, aBody(2 * MIB))).toMatchObject({ status: 200 });
  }, 60_000);
});

const write = async () => {
  throw new SpoolError('failed', 'EIO: made up');
};

it('small audio that the disk refuses half-way goes through the queue, and gives its file and its room back', async () => {
  const writer = receiver.spool.begin({ isLarge: false });
  let discarded = 0;
  const discard = async () => void (discarded += 1);
  const refused = await startReceiver(redis.url, {
    bodyLimitBytes: MIB,
    spool: { hasRoomFor: () => true, begin: () => ({ ...writer, write, discard }) },
  });
  const body = JSON.stringify({ type: 'post_call_audio', data: { full_audio: 'A'.repeat(400_000) } });
  expect(await post(refused.url, body)).toMatchObject({ status: 200 });
  expect((await refused.queued()).at(-1)?.body).toBe(body);
  expect(discarded).toBe(1);
  await refused.close();
});
