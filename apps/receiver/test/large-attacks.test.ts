import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SpoolError } from '@landline/recordings';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { openConnection, statusesIn, type RawConnection } from '../../../test/support/raw-connection.ts';
import { post, signed, WEBHOOK_PATH } from '../../../test/support/post.ts';
import { startPrivateRedis, type PrivateRedis } from '../../../test/support/private-redis.ts';
import { NO_FSYNC, startReceiver, type TestReceiver } from './support/a-receiver.ts';

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
  redis = await startPrivateRedis(NO_FSYNC);
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

async function connect(to = receiver): Promise<RawConnection> {
  const connection = await openConnection(to.url);
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
    // A busy machine reads so many chunks more slowly than the others' least rate.
    const patient = await startReceiver(redis.url, { bodyLimitBytes: 24 * MIB, requestTimeoutMs: 120_000 });
    onTestFinished(async () => {
      for (const connection of opened.splice(0)) connection.cut();
      await patient.close();
    });
    const connection = await connect(patient);
    const bytes = 2 * MIB;
    connection.write(CHUNKED + '1\r\nx\r\n'.repeat(bytes));
    await expect.poll(() => patient.spool.stats().bytes, { timeout: 110_000 }).toBeGreaterThan(bytes - 1000);
    expect(await post(patient.url, aBody(2 * MIB))).toMatchObject({ status: 200 });
  });
});

/** Starts a receiver in whose spool large bodies may take 56 MiB, and those that arrive 28 MiB of these. */
async function startSmall(): Promise<TestReceiver> {
  const small = await startReceiver(redis.url, { bodyLimitBytes: 24 * MIB, spoolLimitBytes: 64 * MIB });
  onTestFinished(async () => {
    for (const connection of opened.splice(0)) connection.cut();
    await small.close();
  });
  return small;
}

/** Has 500 strangers begin a body of 20 MiB each: so many bytes at once, and then a little more than a receiver asks for. */
async function dripInto(to: TestReceiver, bytes: number): Promise<RawConnection[]> {
  const strangers = await Promise.all(Array.from({ length: 500 }, () => connect(to)));
  for (const stranger of strangers) {
    stranger.write(declared(20 * MIB));
    stranger.write(Buffer.alloc(bytes, 'x'));
  }
  const drop = Buffer.alloc(17_000, 'x');
  const dripping = setInterval(() => strangers.forEach((stranger) => stranger.write(drop)), 1000);
  onTestFinished(() => clearInterval(dripping));
  return strangers;
}

/**
 * Sends a body at 5 MiB a second, as a usual line does; returns the statuses of the answer. Where this machine was too slow for that pace, or
 * stood still, a refusal tells nothing, and the body is sent again, twice at most.
 */
async function sendAtUsualPace(to: TestReceiver, body: string): Promise<number[]> {
  for (let sent = 1; ; sent++) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { statuses, isPaceKept } = await sendOnce(to, body);
    if (isPaceKept || statuses[0] === 200 || sent === 3) return statuses;
  }
}

async function sendOnce(to: TestReceiver, body: string): Promise<{ statuses: number[]; isPaceKept: boolean }> {
  const connection = await connect(to);
  const headers = Object.entries(signed(body)).map(([name, value]) => `${name}: ${value}\r\n`);
  connection.write(
    `POST ${WEBHOOK_PATH} HTTP/1.1\r\nhost: x\r\n${headers.join('')}content-length: ${body.length}\r\n\r\n`,
  );
  const began = performance.now();
  let longestMs = 0;
  for (let at = 0; at < body.length; at += MIB / 4) {
    const writtenAt = performance.now();
    connection.write(body.slice(at, at + MIB / 4));
    // oxlint-disable-next-line no-await-in-loop -- the pace
    await delay(50);
    longestMs = Math.max(longestMs, performance.now() - writtenAt);
  }
  // The wait for the answer is the receiver's, and no part of the pace.
  const isPaceKept = performance.now() - began < (2 * 1000 * body.length) / (5 * MIB) && longestMs < 250;
  await vi.waitUntil(() => statusesIn(connection.received()).length > 0, { timeout: 20_000 });
  return { statuses: statusesIn(connection.received()), isPaceKept };
}

describe('500 strangers whose large bodies drip', () => {
  it('take no room from good bodies, whether these begin before them or after them', async () => {
    const small = await startSmall();
    const early = sendAtUsualPace(small, aBody(8 * MIB));
    const strangers = await dripInto(small, 120_000);
    await expect.poll(() => small.spool.stats().bytes, { timeout: 20_000 }).toBeGreaterThan(26 * MIB);
    expect(await early).toEqual([200]);
    for (let i = 0; i < 4; i++) expect(await sendAtUsualPace(small, aBody(8 * MIB + i))).toEqual([200]);
    const answers = strangers.map(({ received }) => statusesIn(received()));
    expect(answers.filter((statuses) => statuses.length === 0).length).toBeGreaterThan(20);
    expect(new Set(answers.flat())).toEqual(new Set([503]));
    // Strangers make no trouble of the spool's, and its verified bodies stay.
    expect([small.spool.stats().files, small.spool.status()]).toEqual([5, 'ready']);
    expect(small.log()).not.toContain('"level":50');
  });

  it('make room where verified bodies have the rest of it', async () => {
    const small = await startSmall();
    for (let i = 0; i < 3; i++) expect(await post(small.url, aBody(9 * MIB + i))).toMatchObject({ status: 200 });
    await dripInto(small, 52_000);
    await expect.poll(() => small.spool.stats().bytes, { timeout: 20_000 }).toBeGreaterThan(51 * MIB);
    expect(await sendAtUsualPace(small, aBody(8 * MIB))).toEqual([200]);
    expect(small.spool.stats().files).toBe(4);
  });
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
