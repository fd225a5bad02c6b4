import { Agent } from 'node:http';
import { openQueues, openRejectedQueue, type RejectedRequest } from '@landline/queue';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { post, SECRET, send, signed, unixSeconds, WEBHOOK_PATH } from '../../../../test/support/post.ts';
import { startPrivateRedis, type PrivateRedis } from '../../../../test/support/private-redis.ts';
import { openConnection, rawPost } from '../../../../test/support/raw-connection.ts';
import { createRejections, type KeptOutcome, type RejectionsOptions } from '../../src/rejected/rejections.ts';
import { NO_FSYNC, startReceiver, type TestReceiver, valuesOf } from '../support/a-receiver.ts';

const OTHER = 'wsec_fedcba9876543210fedcba9876543210';
const STALE = `t=1000000000,v0=${'0'.repeat(64)}`;
const WITHIN = { timeout: 20_000, interval: 20 };

let redis: PrivateRedis;
beforeAll(async () => {
  redis = await startPrivateRedis(NO_FSYNC);
});
afterAll(() => redis.remove());

interface KeepingReceiver extends TestReceiver {
  outcomes: KeptOutcome[];
  heldBytes: () => number;
  /** Waits until so many requests are kept. Returns them, in order, and takes them off the queue. */
  taken: (count: number) => Promise<RejectedRequest[]>;
}

/** A receiver that keeps what it refuses; closed when the test ends. */
async function aReceiver(options: Partial<RejectionsOptions> = {}): Promise<KeepingReceiver> {
  const outcomes: KeptOutcome[] = [];
  const rejections = createRejections({
    // A busy machine's Redis may take longer than a second, most of all for the connection.
    openQueue: (onOutcome) => openRejectedQueue({ redisUrl: redis.url, onOutcome, commandTimeoutMs: 10_000 }),
    onOutcome: (outcome) => outcomes.push(outcome),
    ...options,
  });
  const receiver = await startReceiver(redis.url, { rejections, bodyLimitBytes: 16 * 1024 * 1024 });
  const queues = openQueues({ redisUrl: redis.url });
  await queues.ping();
  onTestFinished(async () => {
    await queues.rejected.obliterate({ force: true });
    await Promise.all([receiver.close(), rejections.close(), queues.close()]);
  });
  return {
    ...receiver,
    outcomes,
    heldBytes: () => rejections.heldBytes(),
    async taken(count) {
      await vi.waitUntil(async () => (await queues.rejected.getWaitingCount()) >= count, WITHIN);
      const jobs = await queues.rejected.getWaiting();
      await queues.rejected.drain();
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the test says what each of them must be
      return jobs.map(({ data }) => data as RejectedRequest);
    },
  };
}

const answerOf = ({ status, body }: { status: number; body: string }) => [status, String(JSON.parse(body).code)];

describe('a request that is refused for its signature', () => {
  it('is kept with its exact body, its headers and its sender, and the answer tells nothing of it', async () => {
    const receiver = await aReceiver();
    const body = '{"type":"conversation.message", "é":1}';
    const own = { 'user-agent': 'ElevenLabs', 'content-type': 'application/json' };
    const signature = signed(body, OTHER)['elevenlabs-signature'];
    const headers = { 'elevenlabs-signature': signature, ...own, authorization: 'Bearer x', cookie: 'a=b' };
    const before = Date.now();
    const answer = await send(receiver.url, { headers, body });
    expect(answerOf(answer)).toEqual([401, 'signature_mismatch']);
    expect(Object.keys(JSON.parse(answer.body))).toEqual(['code', 'message']);
    const [request] = await receiver.taken(1);
    expect(request).toEqual({
      v: 1,
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      receivedAt: expect.any(Number),
      code: 'signature_mismatch',
      header: signature,
      headers: {
        host: expect.any(String),
        connection: expect.any(String),
        'content-length': String(Buffer.byteLength(body)),
        ...own,
      },
      encoding: 'utf8',
      body,
      bodyBytes: Buffer.byteLength(body),
      sender: '127.0.0.1',
    });
    expect(request?.receivedAt).toBeGreaterThanOrEqual(before);
    expect(receiver.outcomes).toEqual(['kept']);
    expect(receiver.heldBytes()).toBe(0);
  });

  it('is kept with bytes that are no text', async () => {
    const receiver = await aReceiver();
    const body = Buffer.from([0xff, 0x00, 0xfe]);
    await send(receiver.url, { headers: signed(body, OTHER), body });
    expect(await receiver.taken(1)).toMatchObject([{ encoding: 'base64', body: '/wD+', bodyBytes: 3 }]);
  });

  it.each<[string, Record<string, string | string[]>, string]>([
    ['signature_missing', {}, 'null'],
    ['signature_malformed', { 'elevenlabs-signature': 't=1' }, '"t=1"'],
    ['signature_malformed', { 'elevenlabs-signature': ['a', 'b'] }, '["a","b"]'],
    ['signature_expired', { 'elevenlabs-signature': STALE }, JSON.stringify(STALE)],
  ])('by its header (%s %j) is kept with the body that is read after the answer', async (code, headers, header) => {
    const receiver = await aReceiver();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const body = 'x'.repeat(200_000);
    expect(answerOf(await send(receiver.url, { headers, body, agent }))).toEqual([401, code]);
    const [request] = await receiver.taken(1);
    expect(request).toMatchObject({ code, bodyBytes: 200_000, body });
    expect(JSON.stringify(request?.header)).toBe(header);
    // The connection is as good as before.
    expect(await post(receiver.url, '{"n": 1}', { agent })).toMatchObject({ status: 200 });
  });

  it('by its header, and without a body, is kept so', async () => {
    const receiver = await aReceiver();
    await send(receiver.url, {});
    expect(await receiver.taken(1)).toMatchObject([{ body: '', bodyBytes: 0 }]);
  });

  it.each<[string, Record<string, string>, number | null]>([
    ['is longer than 256 KiB', { 'content-length': '262145' }, 262_145],
    ['does not say how long it is', { 'transfer-encoding': 'chunked' }, null],
  ])(
    'by its header, whose body %s, is kept without it, and the connection is closed',
    async (_, headers, bodyBytes) => {
      const receiver = await aReceiver();
      const connection = await openConnection(receiver.url);
      const lines = Object.entries({ host: 'x', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
      connection.write(`POST ${WEBHOOK_PATH} HTTP/1.1\r\n${lines.join('')}\r\n`);
      await connection.ended;
      expect(connection.received()).toContain('signature_missing');
      connection.cut();
      expect(await receiver.taken(1)).toMatchObject([{ body: null, bodyBytes }]);
    },
  );

  it('by its header, whose sender waits for 100 Continue, is kept without a body', async () => {
    const receiver = await aReceiver();
    const connection = await openConnection(receiver.url);
    connection.write(`POST ${WEBHOOK_PATH} HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n`);
    await connection.ended;
    expect(connection.received()).not.toContain('100 Continue');
    connection.cut();
    expect(await receiver.taken(1)).toMatchObject([{ body: null, bodyBytes: 5 }]);
  });

  it('by its header, whose sender hangs up, is kept with what came', async () => {
    const receiver = await aReceiver();
    const connection = await openConnection(receiver.url);
    const whole = rawPost(WEBHOOK_PATH, {}, 'x'.repeat(1000));
    connection.write(whole.subarray(0, -400));
    await vi.waitUntil(() => connection.received().includes('signature_missing'), WITHIN);
    connection.cut();
    expect(await receiver.taken(1)).toMatchObject([{ body: 'x'.repeat(600), bodyBytes: 1000 }]);
    await vi.waitUntil(() => receiver.heldBytes() === 0, WITHIN);
  });

  it.each([300_000, 3_000_000])('with a body of %d bytes is kept with the first 256 KiB', async (bytes) => {
    const receiver = await aReceiver();
    const body = Buffer.alloc(bytes, 'abcdefghij');
    expect(answerOf(await send(receiver.url, { headers: signed(body, OTHER), body }))).toEqual([
      401,
      'signature_mismatch',
    ]);
    const [request] = await receiver.taken(1);
    expect(request).toMatchObject({ bodyBytes: bytes, encoding: 'utf8' });
    expect(request?.body === body.toString('utf8', 0, 262_144)).toBe(true);
    await vi.waitUntil(() => receiver.heldBytes() === 0, WITHIN);
  });

  it('is kept, and a good one beside it is not', async () => {
    const receiver = await aReceiver();
    expect(await post(receiver.url, '{"n": 2}')).toMatchObject({ status: 200 });
    expect(answerOf(await send(receiver.url, { headers: signed('a', OTHER), body: 'a' }))[0]).toBe(401);
    expect(await send(receiver.url, { method: 'GET' })).toMatchObject({ status: 405 });
    expect(await receiver.taken(1)).toMatchObject([{ body: 'a' }]);
    expect(receiver.outcomes).toEqual(['kept']);
  });
});

describe('the bounds of the receiver', () => {
  it('a flood: the first thousand are kept, then five a second, and the others are counted', async () => {
    let now = 0;
    const receiver = await aReceiver({ clock: () => now });
    const agent = new Agent({ keepAlive: true, maxSockets: 32 });
    onTestFinished(() => agent.destroy());
    const refuse = (count: number) =>
      Promise.all(
        Array.from({ length: count }, (_, i) =>
          send(receiver.url, { headers: signed(`${i}`, OTHER), body: `${i}`, agent }).then(answerOf),
        ),
      );
    const answers = await refuse(1300);
    expect(new Set(answers.map(String))).toEqual(new Set(['401,signature_mismatch']));
    await vi.waitUntil(() => receiver.outcomes.length === 1300, WITHIN);
    const countOf = (outcome: KeptOutcome) => receiver.outcomes.filter((each) => each === outcome).length;
    expect([countOf('kept'), countOf('rate')]).toEqual([1000, 300]);
    now += 2000;
    await refuse(100);
    await vi.waitUntil(() => receiver.outcomes.length === 1400, WITHIN);
    expect([countOf('kept'), countOf('rate')]).toEqual([1010, 390]);
    expect(await valuesOf(receiver, 'landline_events_rejected_total')).toEqual({ 'code="signature_mismatch"': 1400 });
  });

  it('so many bytes of bodies wait for Redis at most', async () => {
    const kept: RejectedRequest[] = [];
    const told: ((outcome: 'kept', request: RejectedRequest) => void)[] = [];
    const receiver = await aReceiver({
      maxHeldBytes: 250_000,
      // A Redis that takes its time.
      openQueue: (onOutcome) => {
        told.push(onOutcome);
        return { add: (request) => void kept.push(request), close: () => Promise.resolve() };
      },
    });
    const refuse = async (headers: Record<string, string>) =>
      answerOf(await send(receiver.url, { headers, body: 'x'.repeat(100_000) }));
    const header = signed('another', OTHER);
    expect(await refuse(header)).toEqual([401, 'signature_mismatch']);
    expect(await refuse({})).toEqual([401, 'signature_missing']);
    expect(await refuse(header)).toEqual([401, 'signature_mismatch']);
    await vi.waitUntil(() => kept.length === 2, WITHIN);
    expect(receiver.outcomes).toEqual(['memory']);
    expect(receiver.heldBytes()).toBe(200_000);
    for (const request of kept) told[0]?.('kept', request);
    expect(receiver.heldBytes()).toBe(0);
    await refuse(header);
    await vi.waitUntil(() => kept.length === 3, WITHIN);
  });

  it('no answer waits for a Redis that hangs', async () => {
    const receiver = await aReceiver();
    await send(receiver.url, { headers: signed('a', OTHER), body: 'a' });
    await receiver.taken(1);
    redis.freeze();
    onTestFinished(() => redis.thaw());
    const body = 'b';
    for (const headers of [signed(body, OTHER), {}, signed(body, SECRET, unixSeconds() - 7200)]) {
      // A connection to Redis counts as dead after five seconds: an answer that waited for the write would come then.
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await send(receiver.url, { headers, body, limitMs: 4_000 })).toMatchObject({ status: 401 });
    }
    await vi.waitUntil(() => receiver.outcomes.length === 4, { timeout: 60_000 });
    redis.thaw();
    expect(receiver.outcomes).toEqual(['kept', 'unavailable', 'unavailable', 'unavailable']);
    expect(receiver.heldBytes()).toBe(0);
  });
});
