import { METHODS } from 'node:http';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openConnection, rawPost, statusesIn } from '../../../test/support/raw-connection.ts';
import { post, SECRET, send, signed, unixSeconds, WEBHOOK_PATH } from '../../../test/support/post.ts';
import { startPrivateRedis, type PrivateRedis } from '../../../test/support/private-redis.ts';
import { NO_FSYNC, startReceiver, type TestReceiver } from './support/a-receiver.ts';

const BODY_LIMIT_BYTES = 65_536;
const OLD_SECRET = 'wsec_fedcba9876543210fedcba9876543210';
const BODY = '{"type": "conversation.started", "data": {"conversation_id": "conv_1"}}';

let redis: PrivateRedis;
let receiver: TestReceiver;
beforeAll(async () => {
  redis = await startPrivateRedis(NO_FSYNC);
  receiver = await startReceiver(redis.url, { bodyLimitBytes: BODY_LIMIT_BYTES, secrets: [SECRET, OLD_SECRET] });
});
afterAll(async () => {
  await receiver.close();
  await redis.remove();
});

/** Returns the body of the queue's last event. */
async function lastQueued(): Promise<Buffer> {
  const event = (await receiver.queued()).at(-1);
  return Buffer.from(event?.body ?? '', event?.encoding);
}

describe('a verified delivery is answered 200', () => {
  it('with the body of the contract, and is in the queue by then', async () => {
    const answer = await post(receiver.url, BODY);
    expect(answer).toMatchObject({ status: 200, body: '{"status":"accepted"}' });
    expect(await receiver.queued()).toContainEqual({
      receivedAt: expect.closeTo(Date.now(), -5),
      signedAt: expect.closeTo(unixSeconds(), -2),
      secretId: expect.stringMatching(/^[0-9a-f]{8}$/),
      encoding: 'utf8',
      body: BODY,
    });
  });

  const contentTypes = ['application/json', 'application/json; charset=utf-8', 'text/plain', 'nonsense', '', undefined];
  it.each(contentTypes)('with any content type: %s', async (type) => {
    const body = `{"content type": "${type}"}`;
    const headers = { ...signed(body), ...(type !== undefined && { 'content-type': type }) };
    expect(await send(receiver.url, { headers, body })).toMatchObject({ status: 200 });
    expect((await lastQueued()).toString()).toBe(body);
  });

  const bodies = {
    'is empty': Buffer.alloc(0),
    'is not JSON': Buffer.from('<xml/>'),
    'is not UTF-8': Buffer.from([0xff, 0xfe, 0x00, 0x80]),
    'has a byte order mark': Buffer.from('\ufeff{}'),
    'is as large as may be': Buffer.alloc(BODY_LIMIT_BYTES, 'x'),
    'says that it is compressed': Buffer.from([0x1f, 0x8b, 0x08]),
  };
  it.each(Object.entries(bodies))('with any body: one that %s', async (_, body) => {
    expect(await post(receiver.url, body, { headers: { 'content-encoding': 'gzip' } })).toMatchObject({ status: 200 });
    expect(await lastQueued()).toEqual(body);
  });

  it('in chunks, without a length', async () => {
    const answer = await fetch(receiver.url + WEBHOOK_PATH, {
      method: 'POST',
      headers: signed('{"in": "chunks"}'),
      body: Readable.toWeb(Readable.from(['{"in":', ' "ch', 'unks"}'].map((text) => Buffer.from(text)))),
      duplex: 'half',
    });
    expect(answer.status).toBe(200);
    expect((await lastQueued()).toString()).toBe('{"in": "chunks"}');
  });

  it('byte by byte', async () => {
    const connection = await openConnection(receiver.url);
    const request = rawPost(WEBHOOK_PATH, { ...signed('{"slow": 1}'), connection: 'close' }, '{"slow": 1}');
    for (const byte of request) {
      connection.write(Buffer.of(byte));
      await new Promise(setImmediate);
    }
    await connection.ended;
    expect(statusesIn(connection.received())).toEqual([200]);
    connection.cut();
  });

  it('after a 100 to a sender that expects it', async () => {
    const connection = await openConnection(receiver.url);
    const headers = { ...signed(BODY), expect: '100-continue', connection: 'close' };
    connection.write(rawPost(WEBHOOK_PATH, headers, BODY));
    await connection.ended;
    expect(statusesIn(connection.received())).toEqual([100, 200]);
    connection.cut();
  });

  it('several pipelined on one connection, in order and all in one job', async () => {
    const connection = await openConnection(receiver.url);
    const requests = ['{"n": 1}', '{"n": 2}', '{"n": 3}'].map((body) => rawPost(WEBHOOK_PATH, signed(body), body));
    const last = rawPost(WEBHOOK_PATH, { ...signed('{"n": 4}', 'a secret that nobody has'), connection: 'close' }, '');
    connection.write(Buffer.concat([...requests, last]));
    await connection.ended;
    expect(statusesIn(connection.received())).toEqual([200, 200, 200, 401]);
    expect((await receiver.queued()).slice(-3).map(({ body }) => body)).toEqual(['{"n": 1}', '{"n": 2}', '{"n": 3}']);
    connection.cut();
  });

  it.each(['/', '?', '?source=elevenlabs&x=%20', '/?x'])('with %s behind its path', async (suffix) => {
    expect(await post(receiver.url, BODY, { path: WEBHOOK_PATH + suffix })).toMatchObject({ status: 200 });
  });

  it('signed with the secret before, while rotating', async () => {
    const [first, second] = await Promise.all([
      post(receiver.url, '{"signed": "new"}'),
      post(receiver.url, '{"signed": "old"}', { headers: signed('{"signed": "old"}', OLD_SECRET) }),
    ]);
    expect([first.status, second.status]).toEqual([200, 200]);
    const ids = (await receiver.queued()).slice(-2).map(({ secretId }) => secretId);
    expect(new Set(ids).size).toBe(2);
  });
});

describe('anything unsigned is answered 401', () => {
  const now = unixSeconds();
  const good = signed(BODY)['elevenlabs-signature'] ?? '';
  const refused: [string, string | string[] | undefined, string][] = [
    ['no signature', undefined, 'signature_missing'],
    ['an empty one', '', 'signature_missing'],
    ['nonsense', 'Bearer abc', 'signature_malformed'],
    ['the header twice', [good, good], 'signature_malformed'],
    ['the header twice, once empty', ['', good], 'signature_malformed'],
    ['an unknown secret', signed(BODY, 'x'.repeat(32))['elevenlabs-signature'], 'signature_mismatch'],
    ['another body', signed(`${BODY} `)['elevenlabs-signature'], 'signature_mismatch'],
    ['a signature of an hour ago', signed(BODY, SECRET, now - 3700)['elevenlabs-signature'], 'signature_expired'],
    ['a signature from the future', signed(BODY, SECRET, now + 400)['elevenlabs-signature'], 'signature_expired'],
  ];
  it.each(refused)('%s', async (_, header, code) => {
    const before = (await receiver.queued()).length;
    const answer = await send(receiver.url, {
      headers: header === undefined ? {} : { 'elevenlabs-signature': header },
      body: BODY,
    });
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.body)).toEqual({ code, message: expect.any(String) });
    expect(answer.body).not.toContain(SECRET);
    expect(answer.body).not.toContain(SECRET.slice(5, 15));
    expect((await receiver.queued()).length).toBe(before);
  });
});

describe('another request', () => {
  // Node itself closes the connection of a CONNECT.
  const methods = METHODS.filter((method) => method !== 'POST' && method !== 'CONNECT');
  it.each(methods)('%s on the path is answered 405', async (method) => {
    const answer = await send(receiver.url, { method });
    expect([answer.status, answer.headers.allow]).toEqual([405, 'POST']);
    expect(answer.body).toContain(method === 'HEAD' ? '' : '"method_not_allowed"');
  });

  it('PUT of a signed body is answered 405 and goes nowhere', async () => {
    const before = (await receiver.queued()).length;
    expect(await post(receiver.url, BODY, { method: 'PUT' })).toMatchObject({ status: 405 });
    expect((await receiver.queued()).length).toBe(before);
  });

  const elsewhere = ['/', '/api/elevenlabs', '/api/elevenlabs/webhook/x', '/API/elevenlabs/webhook', '/api//webhook'];
  it.each(elsewhere)('POST %s is answered 404', async (path) => {
    expect(await post(receiver.url, BODY, { path })).toMatchObject({ status: 404 });
  });

  const spellings = [
    '/api/elevenlabs/webhoo%6B',
    '/%61pi/elevenlabs/webhook',
    '/api/elevenlabs/webhook/?x=%',
    '/api//elevenlabs/webhook',
  ];
  it.each(spellings)('%s is answered as the plain path is, or 404', async (path) => {
    const before = receiver.log();
    const answers = await Promise.all([
      post(receiver.url, BODY, { path }),
      send(receiver.url, { path, headers: { 'content-type': 'application/json' }, body: BODY }),
      ...['GET', 'HEAD', 'OPTIONS', 'PUT', 'PROPFIND'].map((method) =>
        send(receiver.url, { path, method, body: BODY }),
      ),
    ]);
    const statuses = answers.map(({ status }) => status);
    const isFound = !statuses.includes(404);
    expect(statuses).toEqual(isFound ? [200, 401, 405, 405, 405, 405, 405] : statuses.map(() => 404));
    expect(answers.slice(2).map(({ headers }) => headers.allow)).toEqual(
      Array.from({ length: 5 }, () => (isFound ? 'POST' : undefined)),
    );
    expect(receiver.log().slice(before.length)).not.toContain('"level":50');
  });

  const malformed = {
    'a path that cannot be decoded': ['POST /api/%zz HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n', 400],
    'a request without a host': ['POST /api/elevenlabs/webhook HTTP/1.1\r\ncontent-length: 0\r\n\r\n', 400],
    'headers larger than are read': [`GET / HTTP/1.1\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`, 431],
    'a path larger than is read': [`GET /${'y'.repeat(100_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, 431],
    'two lengths': [`POST ${WEBHOOK_PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n`, 400],
    'an unknown expectation': [`POST ${WEBHOOK_PATH} HTTP/1.1\r\nhost: x\r\nexpect: x\r\n\r\n`, 417],
  } as const;
  it.each(Object.entries(malformed))("%s is the sender's fault, and never an error here", async (_, [text, status]) => {
    const before = receiver.log();
    const connection = await openConnection(receiver.url);
    connection.write(text);
    await vi.waitUntil(() => statusesIn(connection.received()).length > 0, { timeout: 20_000 });
    expect(statusesIn(connection.received())).toEqual([status]);
    expect(receiver.log().slice(before.length)).not.toContain('"level":50');
    connection.cut();
  });

  it('for elsewhere is answered before its body is read', async () => {
    const connection = await openConnection(receiver.url);
    connection.write(
      'POST /elsewhere HTTP/1.1\r\nhost: x\r\ncontent-type: application/octet-stream\r\ncontent-length: 1000000\r\n\r\n',
    );
    await connection.ended;
    expect(statusesIn(connection.received())).toEqual([404]);
    connection.cut();
  });

  it('has no CORS headers in its answer', async () => {
    const headers = { origin: 'https://example.com', 'access-control-request-method': 'POST' };
    const answers = await Promise.all([
      send(receiver.url, { method: 'OPTIONS', headers }),
      post(receiver.url, BODY, { headers }),
      send(receiver.url, { method: 'GET', path: '/health/live', headers }),
    ]);
    const names = answers.flatMap((answer) => Object.keys(answer.headers));
    expect(names.filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

describe('a body over the limit is answered 413', () => {
  it.each([BODY_LIMIT_BYTES + 1, 4_000_000])('of %i bytes, with and without a length', async (bytes) => {
    const before = (await receiver.queued()).length;
    const body = Buffer.alloc(bytes, 'x');
    const withLength = await post(receiver.url, body);
    const chunked = await post(receiver.url, body, { headers: { 'transfer-encoding': 'chunked' } });
    for (const answer of [withLength, chunked]) {
      expect(answer.status).toBe(413);
      expect(JSON.parse(answer.body)).toEqual({ code: 'body_too_large', message: expect.any(String) });
    }
    expect((await receiver.queued()).length).toBe(before);
  });

  it('before a byte of it was sent', async () => {
    const connection = await openConnection(receiver.url);
    connection.write(`POST ${WEBHOOK_PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: ${BODY_LIMIT_BYTES + 1}\r\n\r\n`);
    await connection.ended;
    expect(statusesIn(connection.received())).toEqual([413]);
    connection.cut();
  });
});
