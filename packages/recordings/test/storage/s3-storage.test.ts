import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { contentOf, factsOf, KEY } from './support/contents.ts';
import { setCredentials } from './support/credentials.ts';
import { open } from './support/open-s3.ts';
import { refuse, startStrictS3 } from './support/s3-servers.ts';

const MEGABYTE = 1024 * 1024;

test.for([1, 5 * MEGABYTE])(
  'sends %i bytes by one PUT: with length, hash and signature, without any framing',
  async (bytes) => {
    setCredentials();
    const { origin, requests, objects } = await startStrictS3();
    const content = contentOf(bytes);
    await open(origin).put(content);
    expect(requests.map(({ method }) => method)).toEqual(['HEAD', 'PUT']);
    const headers = requests[1]?.headers ?? {};
    expect(headers).toMatchObject({
      'content-length': String(bytes),
      'content-type': 'audio/mpeg',
      'x-amz-content-sha256': content.sha256,
      'x-amz-meta-sha256': content.sha256,
      'if-none-match': '*',
    });
    for (const name of [
      'transfer-encoding',
      'content-encoding',
      'x-amz-trailer',
      'x-amz-decoded-content-length',
      'expect',
    ]) {
      expect(headers).not.toHaveProperty(name);
    }
    expect(headers['authorization']).toMatch(/SignedHeaders=[^,]*x-amz-content-sha256/);
    expect(
      createHash('sha256')
        .update(objects.get(KEY)?.content ?? '')
        .digest('hex'),
    ).toBe(content.sha256);
  },
);

test('keeps both of two contents that two processes store at the same time under one key', async () => {
  setCredentials();
  const { origin, objects } = await startStrictS3();
  const contents = [contentOf(MEGABYTE), contentOf(MEGABYTE, { seed: 2 })];
  // Each has its own turns, as a process of its own has.
  const puts = Array.from({ length: 10 }, (_, at) => contents[at % 2] ?? contentOf(1));
  const urls = await Promise.all(puts.map(async (content) => (await open(origin).put(content)).url));
  expect(new Set(urls).size).toBe(2);
  const read = await Promise.all(urls.map((url) => factsOf(open(origin).read(url))));
  expect(read.map(({ sha256 }) => sha256)).toEqual(puts.map(({ sha256 }) => sha256));
  expect(objects.size).toBe(2);
});

test('knows a content by itself where a copy of the bucket lost what was noted of it', async () => {
  setCredentials();
  const { origin, objects } = await startStrictS3();
  const content = contentOf(1000);
  const { url } = await open(origin).put(content);
  for (const { headers } of objects.values()) delete headers['x-amz-meta-sha256'];
  expect(await open(origin).put(content)).toEqual({ url });
  await open(origin).put(contentOf(1000, { seed: 2 }));
  expect(objects.size).toBe(2);
});

test('stores for a user who may not look for objects that are not there', async () => {
  setCredentials();
  const { origin, objects } = await startStrictS3((request, response) => {
    const isHidden = request.method === 'HEAD' && objects.size === 0;
    if (isHidden) refuse(response, 403, 'AccessDenied');
    return isHidden;
  });
  const { url } = await open(origin).put(contentOf(10));
  expect([...objects.keys()]).toEqual([KEY]);
  expect(await open(origin).put(contentOf(10))).toEqual({ url });
});

test('waits for a reader that is slower than any limit of the server', async () => {
  setCredentials();
  const { origin } = await startStrictS3();
  const { url } = await open(origin).put(contentOf(5 * MEGABYTE));
  const slowly = async function* (): AsyncGenerator<Buffer> {
    let isFirst = true;
    for await (const part of open(origin, { idleLimitMs: 200 }).read(url)) {
      if (isFirst) await wait(1000);
      isFirst = false;
      yield part;
    }
  };
  // The server itself is too slow where the machine stalls for 200 ms: it is read until it is not.
  const bytes = () => factsOf(slowly()).then((facts) => facts.bytes, String);
  await expect.poll(bytes, { timeout: 20_000 }).toBe(5 * MEGABYTE);
});
