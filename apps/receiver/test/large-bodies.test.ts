import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SpooledBody } from '@landline/recordings';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { openConnection, rawPost, statusesIn, type RawConnection } from '../../../test/support/raw-connection.ts';
import { post, signed, WEBHOOK_PATH } from '../../../test/support/post.ts';
import { startPrivateRedis, type PrivateRedis } from '../../../test/support/private-redis.ts';
import { NO_FSYNC, startReceiver, type TestReceiver, valueOf, valuesOf } from './support/a-receiver.ts';

const MIB = 1024 * 1024;
const START = `POST ${WEBHOOK_PATH} HTTP/1.1\r\nhost: x\r\n`;

const head = (headers: Record<string, string>) =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
// A fresh, well-formed signature: only with the whole body can the receiver find out that it is wrong.
const WRONG = head(signed('another body'));
const aBody = (bytes: number, seed = 'y') => JSON.stringify({ type: 'x', pad: seed.repeat(bytes) });

let redis: PrivateRedis;
let receiver: TestReceiver;
const opened: RawConnection[] = [];
beforeAll(async () => {
  redis = await startPrivateRedis(NO_FSYNC);
  receiver = await startReceiver(redis.url, {
    bodyLimitBytes: 24 * MIB,
    requestTimeoutMs: 1500,
    minBytesPerSecond: 100_000,
    // Large bodies may take 28 MiB of these, and those that arrive half of that.
    spoolLimitBytes: 32 * MIB,
  });
});
afterEach(async () => {
  for (const connection of opened.splice(0)) connection.cut();
  for (const body of receiver.spooled) await body.remove();
  // Every way out gives back what it took, and leaves no file.
  await vi.waitUntil(async () => spoolBytes() === 0 && (await files()).length === 0, { timeout: 20_000 });
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

async function begin(text: string, bytes = 0): Promise<RawConnection> {
  const connection = await openConnection(receiver.url);
  opened.push(connection);
  connection.write(text);
  connection.write(Buffer.alloc(bytes, 'x'));
  return connection;
}

const declared = (bytes: number) => `${START}${WRONG}content-length: ${bytes}\r\n\r\n`;
const spoolBytes = () => receiver.spool.stats().bytes;

/** Returns the body that was spooled last, with its bytes read back from the disk. */
async function lastSpooled(): Promise<{ body: SpooledBody; bytes: Buffer }> {
  const body = receiver.spooled.at(-1);
  if (body === undefined) throw new Error('No body is in the spool.');
  const pieces: Buffer[] = [];
  for await (const piece of body.read(0, body.facts.bytes)) pieces.push(piece);
  return { body, bytes: Buffer.concat(pieces) };
}

/** Has verified bodies take 27 MiB and a little more; returns how many bytes. */
async function fillSpool(): Promise<number> {
  for (let i = 0; i < 3; i++) await post(receiver.url, aBody(9 * MIB + i));
  expect(spoolBytes()).toBeGreaterThan(27 * MIB);
  return spoolBytes();
}

describe('a body of more than a MiB', () => {
  it.each([
    ['with its length', 1, false],
    ['with its length', 20 * MIB, false],
    ['in chunks', 1, true],
    ['in chunks', 20 * MIB, true],
  ])(
    '%s, with %i bytes more, is on the disk byte for byte before the 200, and not in the queue',
    async (_, more, isChunked) => {
      const body = aBody(MIB + more);
      const before = (await receiver.queued()).length;
      const headers = { ...signed(body), ...(isChunked && { 'transfer-encoding': 'chunked' }) };
      expect(await post(receiver.url, body, { headers })).toMatchObject({ status: 200, body: '{"status":"accepted"}' });
      const found = await lastSpooled();
      expect(found.bytes.equals(Buffer.from(body))).toBe(true);
      const sha256 = createHash('sha256').update(body).digest('hex');
      expect(found.body.facts).toMatchObject({
        bytes: body.length,
        sha256,
        secretId: expect.stringMatching(/^[0-9a-f]{8}$/),
      });
      expect(found.body.facts.eventId.replaceAll('-', '')).toBe(sha256.slice(0, 32));
      expect((await receiver.queued()).length).toBe(before);
      expect(receiver.log()).toContain('📥 ElevenLabs Webhook received: x');
    },
  );

  it('with a wrong signature is answered 401, and its file is removed', async () => {
    const answer = await post(receiver.url, aBody(5 * MIB), { headers: signed('another body') });
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'signature_mismatch' });
    await expect.poll(() => files(), { timeout: 20_000 }).toEqual([]);
  });

  it('that turns out larger than the limit is answered 413, and its file is removed', async () => {
    const connection = await begin(`${START}${WRONG}transfer-encoding: chunked\r\n\r\n`);
    const chunk = `${MIB.toString(16)}\r\n${'x'.repeat(MIB)}\r\n`;
    for (let i = 0; i < 25; i++) connection.write(chunk);
    await connection.ended;
    expect(statusesIn(connection.received())).toEqual([413]);
  });

  it.each([
    ['a length', declared(8 * MIB)],
    ['chunks', `${START}${WRONG}transfer-encoding: chunked\r\n\r\n${(8 * MIB).toString(16)}\r\n`],
  ])('cut half-way, with %s, leaves no file', async (_, start) => {
    const connection = await begin(start, 4 * MIB);
    await expect.poll(spoolBytes, { timeout: 20_000 }).toBeGreaterThan(3 * MIB);
    connection.cut();
    await expect.poll(spoolBytes, { timeout: 20_000 }).toBe(0);
  });

  it('is taken while Redis is away: the disk has it', async () => {
    await redis.stop();
    const body = aBody(2 * MIB);
    expect(await post(receiver.url, body)).toMatchObject({ status: 200 });
    expect((await lastSpooled()).bytes.equals(Buffer.from(body))).toBe(true);
    await redis.restart();
    await expect.poll(async () => (await post(receiver.url, '{}')).status, { timeout: 20_000 }).toBe(200);
  });

  it('holds next to no memory', async () => {
    const senders = await Promise.all(Array.from({ length: 4 }, () => begin(declared(20 * MIB), 3 * MIB)));
    // None stops: on a slow disk the first would be given up before the last are there.
    const trickle = setInterval(() => senders.forEach((sender) => sender.write(Buffer.alloc(20_000, 'x'))), 100);
    onTestFinished(() => clearInterval(trickle));
    await expect.poll(spoolBytes, { timeout: 20_000 }).toBeGreaterThan(11 * MIB);
    expect(await valueOf(receiver, 'landline_receiving_bytes')).toBe(0);
  });
});

describe('audio of less than a MiB', () => {
  it('goes into the spool as well', async () => {
    const body = JSON.stringify({ type: 'post_call_audio', event_timestamp: 1, data: { full_audio: 'AAAA' } });
    const before = (await receiver.queued()).length;
    expect(await post(receiver.url, body)).toMatchObject({ status: 200 });
    expect((await lastSpooled()).bytes.toString()).toBe(body);
    expect((await receiver.queued()).length).toBe(before);
  });

  it('goes through the queue with its audio where the spool cannot take it', async () => {
    const full = await startReceiver(redis.url, { spoolLimitBytes: 100 });
    const body = JSON.stringify({ type: 'post_call_audio', event_timestamp: 2, data: { full_audio: 'A'.repeat(200) } });
    expect(await post(full.url, body)).toMatchObject({ status: 200 });
    expect((await full.queued()).at(-1)?.body).toBe(body);
    expect(full.spooled).toEqual([]);
    await full.close();
  });
});

describe('audio of less than a MiB whose file the disk refuses', () => {
  it('goes through the queue, and takes no room in the spool', async () => {
    const refused = await startReceiver(redis.url, { bodyLimitBytes: MIB });
    const [owner = ''] = await readdir(refused.spoolDir);
    await rm(join(refused.spoolDir, owner), { recursive: true });
    // More than the spool gathers before it writes.
    const data = { full_audio: 'A'.repeat(400_000) };
    const body = JSON.stringify({ type: 'post_call_audio', event_timestamp: 3, data });
    expect(await post(refused.url, body)).toMatchObject({ status: 200 });
    expect((await refused.queued()).at(-1)?.body).toBe(body);
    expect(refused.spool.stats().bytes).toBe(0);
    await refused.close();
  });
});

it('a large body that the disk refuses at its end is answered 503, and the log has the reason once', async () => {
  const refused = await startReceiver(redis.url, { bodyLimitBytes: 4 * MIB });
  const [owner = ''] = await readdir(refused.spoolDir);
  const body = aBody(2 * MIB);
  const connection = await openConnection(refused.url);
  opened.push(connection);
  connection.write(`${START}${head(signed(body))}content-length: ${body.length}\r\n\r\n${body.slice(0, -10)}`);
  await expect.poll(() => refused.spool.stats().bytes, { timeout: 20_000 }).toBe(body.length - 10);
  await rm(join(refused.spoolDir, owner), { recursive: true });
  connection.write(body.slice(-10));
  await vi.waitUntil(() => statusesIn(connection.received()).length === 1, { timeout: 20_000 });
  expect(statusesIn(connection.received())).toEqual([503]);
  expect(refused.log().match(/"level":50/g)).toHaveLength(1);
  expect(refused.log()).toContain('The spool in SPOOL_DIR takes no bodies: ENOENT');
  expect(refused.spool.stats().bytes).toBe(0);
  await refused.close();
});

describe('where the spool has no room', () => {
  it('a large body is answered 503 before it is sent, and small events 200', async () => {
    await fillSpool();
    const connection = await begin(declared(2 * MIB));
    await connection.ended;
    expect(statusesIn(connection.received())).toEqual([503]);
    expect(connection.received()).toMatch(/retry-after: \d/);
    const small = await Promise.all(Array.from({ length: 20 }, () => post(receiver.url, aBody(60_000))));
    expect(new Set(small.map(({ status }) => status))).toEqual(new Set([200]));
  });

  it('a body that nobody announced is answered 503 when the room ends, and gives back what it took', async () => {
    const filled = await fillSpool();
    const connection = await begin(
      `${START}${WRONG}transfer-encoding: chunked\r\n\r\n${(8 * MIB).toString(16)}\r\n`,
      8 * MIB,
    );
    await connection.ended;
    expect(statusesIn(connection.received())).toEqual([503]);
    await expect.poll(spoolBytes, { timeout: 20_000 }).toBe(filled);
  });

  it('lengths that are only announced take none', async () => {
    await Promise.all(Array.from({ length: 64 }, () => begin(declared(20 * MIB))));
    const body = aBody(20 * MIB);
    expect(await post(receiver.url, body)).toMatchObject({ status: 200 });
  });
});

/** Sends a body over three times as long as one may send nothing; undefined where it sent nothing for more than half of that time. */
async function sendSlowly(): Promise<{ statuses: number[] } | undefined> {
  const body = aBody(1.2 * MIB);
  const connection = await begin(`${START}${head(signed(body))}content-length: ${body.length}\r\n\r\n`);
  const step = Math.ceil(body.length / 45);
  let [wroteAt, longestMs] = [performance.now(), 0];
  const note = () => {
    longestMs = Math.max(longestMs, performance.now() - wroteAt);
    wroteAt = performance.now();
  };
  for (let at = 0; at < body.length; at += step) {
    connection.write(body.slice(at, at + step));
    await new Promise((resolve) => setTimeout(resolve, 100));
    note();
  }
  await vi.waitUntil(() => statusesIn(connection.received()).length === 1, { timeout: 20_000 });
  note();
  return longestMs < 750 ? { statuses: statusesIn(connection.received()) } : undefined;
}

describe('a body that arrives slowly', () => {
  it('gets through when it keeps to the least rate, however long it takes', async () => {
    // Where this machine stands still, the sender did not keep to the rate: that tells nothing, and it sends again.
    const { statuses } = await vi.waitUntil(sendSlowly, { timeout: 50_000 });
    expect(statuses).toEqual([200]);
  });

  it.each([
    ['stops', 0],
    ['trickles', 1000],
  ])('is answered 408 when it %s, and its file is removed', async (_, bytes) => {
    const connection = await begin(declared(20 * MIB), 200_000);
    const trickle = setInterval(() => connection.write(Buffer.alloc(bytes, 'x')), 50);
    await connection.ended;
    clearInterval(trickle);
    expect(statusesIn(connection.received())).toEqual([408]);
    expect((await valuesOf(receiver, 'landline_events_rejected_total'))['code="request_timeout"']).toBeGreaterThan(0);
  });
});

const expecting = (headers: string, bytes: number) =>
  `${START}${headers}content-length: ${bytes}\r\nexpect: 100-continue\r\n\r\n`;

describe('a sender that waits for 100 Continue', () => {
  it('is asked for its body when its header is good', async () => {
    const body = aBody(1.5 * MIB);
    const connection = await begin(expecting(head(signed(body)), body.length));
    await vi.waitUntil(() => connection.received() !== '', { timeout: 20_000 });
    expect(connection.received()).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    connection.write(body);
    await vi.waitUntil(() => connection.received().includes('{"status":"accepted"}'), { timeout: 20_000 });
    expect(statusesIn(connection.received())).toEqual([100, 200]);
  });

  it.each([
    ['a header without a signature', '', 5 * MIB, 401],
    ['a small body without a signature', '', 10, 401],
    ['more than the limit', WRONG, 25 * MIB, 413],
  ])('is not asked for it with %s, and the connection is closed', async (_, headers, bytes, status) => {
    const connection = await begin(expecting(headers, bytes));
    await connection.ended;
    expect(connection.received()).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  it('is not asked for it where the spool has no room', async () => {
    await fillSpool();
    const connection = await begin(expecting(WRONG, 2 * MIB));
    await connection.ended;
    expect(connection.received()).toMatch(/^HTTP\/1.1 503 /);
  });
});

it('serves the next request on the connection of a large body', async () => {
  const [large, small] = [aBody(2 * MIB), '{"type": "conversation.message"}'];
  const connection = await begin(`${START}${head(signed(large))}content-length: ${large.length}\r\n\r\n`);
  connection.write(large);
  connection.write(rawPost(WEBHOOK_PATH, signed(small), small));
  await vi.waitUntil(() => statusesIn(connection.received()).length === 2, { timeout: 20_000 });
  expect(statusesIn(connection.received())).toEqual([200, 200]);
});

it('leaves in the file of a kept body its bytes and nothing of the signature or the secret', async () => {
  const body = aBody(MIB + 5);
  await post(receiver.url, body);
  const text = (await readFile(receiver.spooled.at(-1)?.path ?? '')).subarray(body.length).toString('latin1');
  expect(text).toContain('"signedAt"');
  expect(text).not.toContain(signed(body)['elevenlabs-signature']?.split('v0=')[1] ?? '-');
});
