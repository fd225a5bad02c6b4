import { expect, onTestFinished, test, vi } from 'vitest';
import { openStorage } from '../../src/storage/open-storage.ts';
import { contentOf, factsOf, KEY } from './support/contents.ts';
import { setCredentials, USER } from './support/credentials.ts';
import { errorOf, open } from './support/open-s3.ts';
import { BUCKET, keysIn, refuse, serve, startS3rver, startStrictS3 } from './support/s3-servers.ts';

const MEGABYTE = 1024 * 1024;

test('sends no content to a server that refuses everything', async () => {
  setCredentials({ id: USER.id, secret: 'secret of nobody' });
  const { origin, objects } = await startStrictS3();
  const content = contentOf(5 * MEGABYTE);
  const refused = {
    name: 'StorageError',
    code: 'refused',
    message: expect.stringMatching(/bucket recordings\): 403 SignatureDoesNotMatch\. .*AWS_SECRET_ACCESS_KEY/),
  };
  expect(await errorOf(open(origin).put(content))).toMatchObject(refused);
  expect(await errorOf(open(origin).check())).toMatchObject(refused);
  expect(content.opened).toBe(0);
  expect(objects.size).toBe(0);
});

test('names the variables where the key is unknown, and where there are none', async () => {
  const origin = await startS3rver();
  setCredentials({ id: 'key of nobody', secret: 'secret of nobody' });
  expect(await errorOf(open(origin).put(contentOf(10)))).toMatchObject({
    code: 'refused',
    message: expect.stringContaining('does not know the access key. Check AWS_ACCESS_KEY_ID'),
  });
  setCredentials({ id: '', secret: '' });
  expect(await errorOf(open(origin).put(contentOf(10)))).toMatchObject({
    code: 'refused',
    message: expect.stringContaining('No credentials were found. Set AWS_ACCESS_KEY_ID'),
  });
  expect(await keysIn(origin)).toEqual([]);
});

test('says that there is no such bucket', async () => {
  setCredentials();
  const storage = open(await startS3rver(), { bucket: 'nowhere' });
  const refused = { code: 'refused', message: expect.stringContaining('There is no such bucket. Create it') };
  expect(await errorOf(storage.put(contentOf(10)))).toMatchObject(refused);
  expect(await errorOf(storage.check())).toMatchObject(refused);
  expect(await errorOf(factsOf(storage.read(`s3://nowhere/${KEY}`)))).toMatchObject(refused);
});

test('says that AWS needs a region', async () => {
  setCredentials();
  vi.stubEnv('AWS_REGION', '');
  const storage = openStorage('s3://recordings');
  onTestFinished(() => storage.close());
  expect(await errorOf(storage.check())).toMatchObject({
    code: 'refused',
    message: expect.stringContaining('Add region= to it, or set AWS_REGION'),
  });
});

test('is unavailable where no server listens', async () => {
  setCredentials();
  const storage = open('http://127.0.0.1:1');
  const unavailable = { code: 'unavailable', message: expect.stringContaining('ECONNREFUSED') };
  expect(await errorOf(storage.put(contentOf(10)))).toMatchObject(unavailable);
  expect(await errorOf(storage.check())).toMatchObject(unavailable);
  expect(await errorOf(storage.remove(`s3://${BUCKET}/${KEY}`))).toMatchObject(unavailable);
  expect(await errorOf(factsOf(storage.read(`s3://${BUCKET}/${KEY}`)))).toMatchObject(unavailable);
});

test('goes on by itself when the server is back', async () => {
  setCredentials();
  let isAway = true;
  const { origin, objects } = await startStrictS3((request, response) => {
    if (isAway) request.resume().once('end', () => refuse(response, 503, 'SlowDown'));
    return isAway;
  });
  const storage = open(origin);
  expect(await errorOf(storage.put(contentOf(5 * MEGABYTE)))).toMatchObject({ code: 'unavailable' });
  isAway = false;
  await storage.put(contentOf(5 * MEGABYTE));
  expect(objects.size).toBe(1);
});

test.for([
  [503, 'SlowDown', 'unavailable'],
  [500, 'InternalError', 'unavailable'],
  [429, 'TooManyRequests', 'unavailable'],
  [400, 'RequestTimeout', 'unavailable'],
  [403, 'RequestTimeTooSkewed', 'unavailable'],
  [507, 'XMinioStorageFull', 'full'],
  [507, 'InsufficientStorage', 'full'],
  [400, 'EntityTooLarge', 'full'],
  [403, 'QuotaExceeded', 'full'],
  [400, 'XMinioAdminBucketQuotaExceeded', 'full'],
  [403, 'AccessDenied', 'refused'],
  [400, 'ExpiredToken', 'refused'],
  [301, 'PermanentRedirect', 'refused'],
  [400, 'AuthorizationHeaderMalformed', 'refused'],
  [404, 'NoSuchBucket', 'refused'],
  [501, 'NotImplemented', 'refused'],
  [400, 'BadDigest', 'damaged'],
  [400, 'constructor', 'refused'],
] as const)('takes %i %s at a write for %s', async ([status, code, fault]) => {
  setCredentials();
  const { origin } = await startStrictS3((request, response) => {
    if (request.method !== 'PUT') return false;
    request.resume().once('end', () => refuse(response, status, code));
    return true;
  });
  const storage = open(origin);
  const facts = { name: 'StorageError', code: fault, message: expect.stringContaining(`${status} ${code}. `) };
  expect(await errorOf(storage.put(contentOf(100_000)))).toMatchObject(facts);
});

test('takes a page of a proxy for what its status says', async () => {
  setCredentials();
  const origin = await serve((request, response) => {
    request
      .resume()
      .once('end', () => response.writeHead(502, { 'content-type': 'text/html' }).end('<html>Bad <b>Gateway'));
  });
  expect(await errorOf(open(origin).put(contentOf(10)))).toMatchObject({ code: 'unavailable' });
  expect(await errorOf(factsOf(open(origin).read(`s3://${BUCKET}/${KEY}`)))).toMatchObject({ code: 'unavailable' });
});

test('gives up where a server neither takes nor sends a byte', async () => {
  setCredentials();
  const origin = await serve(() => undefined);
  const storage = open(origin, { idleLimitMs: 200 });
  const stuck = { code: 'unavailable', message: expect.stringContaining('no byte came or went for 0.2 seconds') };
  expect(await errorOf(storage.check())).toMatchObject(stuck);
  expect(await errorOf(storage.put(contentOf(10)))).toMatchObject(stuck);
});

test('gives up in the middle of a content that a server stops to take', async () => {
  setCredentials();
  const { origin } = await startStrictS3((request) => request.method === 'PUT');
  const content = contentOf(40 * MEGABYTE);
  expect(await errorOf(open(origin, { idleLimitMs: 300 }).put(content))).toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('no byte came or went'),
  });
});

test('gives up in the middle of a content that a server stops to send, or cuts', async () => {
  setCredentials();
  const answers = [(end: () => void): void => void end, (end: () => void): void => end()];
  const origin = await serve((request, response) => {
    response.writeHead(200, { 'content-length': 1000 }).write('first');
    answers.shift()?.(() => response.destroy());
  });
  const read = (): Promise<unknown> => factsOf(open(origin, { idleLimitMs: 300 }).read(`s3://${BUCKET}/${KEY}`));
  expect(await errorOf(read())).toMatchObject({ code: 'unavailable', message: expect.stringContaining('no byte') });
  expect(await errorOf(read())).toMatchObject({ code: 'unavailable' });
});

test.each([
  [200, {}],
  [206, { 'content-range': 'bytes 0-9/10' }],
])('takes no other range than the one that it asked for: a server answers %i %j', async (status, headers) => {
  setCredentials();
  const origin = await serve((_, response) => void response.writeHead(status, headers).end('0123456789'));
  const reading = factsOf(open(origin).read(`s3://${BUCKET}/${KEY}`, { start: 0, end: 4 }));
  expect(await errorOf(reading)).toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('another one'),
  });
});

test('close ends what is under way, and what comes later', async () => {
  setCredentials();
  let requests = 0;
  const storage = open(await serve(() => void (requests += 1)));
  const writing = errorOf(storage.put(contentOf(10)));
  const reading = errorOf(factsOf(storage.read(`s3://${BUCKET}/${KEY}`)));
  storage.close();
  const closed = { code: 'unavailable', message: 'The storage is closed.' };
  expect(await writing).toMatchObject(closed);
  expect(await reading).toMatchObject(closed);
  const before = requests;
  expect(await errorOf(storage.check())).toMatchObject(closed);
  expect(requests).toBe(before);
});

test('ends the reading of a content that the server does not take', async () => {
  setCredentials();
  const { origin } = await startStrictS3((request, response) => {
    if (request.method === 'PUT') refuse(response, 503, 'SlowDown');
    return request.method === 'PUT';
  });
  const content = contentOf(40 * MEGABYTE);
  let isEnded = false;
  const source = async function* (): AsyncGenerator<Buffer> {
    try {
      yield* content.open();
    } finally {
      isEnded = true;
    }
  };
  expect(await errorOf(open(origin).put({ ...content, open: source }))).toMatchObject({ code: 'unavailable' });
  await vi.waitFor(() => expect(isEnded).toBe(true), { timeout: 20_000 });
});

test('stores beside an object that was cut, whatever is noted of it', async () => {
  setCredentials();
  const { origin, objects } = await startStrictS3();
  const content = contentOf(1000);
  await open(origin).put(content);
  for (const stored of objects.values()) stored.content = Buffer.from('cut');
  const { url } = await open(origin).put(content);
  expect(url).toContain(`conv_1-${content.sha256.slice(0, 16)}.mp3`);
  expect(await factsOf(open(origin).read(url))).toMatchObject({ sha256: content.sha256 });
});

test('says so where a recording is in the storage of an earlier RECORDINGS_URL', async () => {
  const bucket = open('http://127.0.0.1:1');
  expect(await errorOf(factsOf(bucket.read('file:/var/lib/a/undated/c.mp3')))).toMatchObject({
    code: 'refused',
    message: expect.stringContaining('The recording is in a folder'),
  });
  expect(await errorOf(factsOf(openStorage('file:x').read(`s3://${BUCKET}/${KEY}`)))).toMatchObject({
    code: 'refused',
    message: expect.stringContaining('The recording is in S3'),
  });
});
