import { describe, expect, onTestFinished, test } from 'vitest';
import type { Storage } from '../../src/storage/storage.ts';
import { contentOf, factsOf, KEY, partsOf } from './support/contents.ts';
import { liveBytes, watched } from './support/live-memory.ts';

const MEGABYTE = 1024 * 1024;

/** What may be alive of a content of 40 MB, in bytes: the buffers of streams and sockets, on both sides. */
const ALIVE_LIMIT = 3 * MEGABYTE;

/** A storage under test. */
export interface Subject {
  storage: Storage;
  /** What each URL begins with: all that stands before the key. */
  base: string;
  /** Lists what is stored, and every left-over. */
  list: () => Promise<string[]>;
}

/** Facts of the storage under test. */
export interface SubjectFacts {
  /** Its server runs in the test's process and holds what it stores, so nothing tells what the storage holds. */
  isHeld?: boolean;
}

/** Runs the tests that every storage passes. `open` opens a new, empty one for the running test. */
export function testStorage(name: string, open: () => Promise<Subject>, { isHeld = false }: SubjectFacts = {}): void {
  const opened = async (): Promise<Subject> => {
    const subject = await open();
    onTestFinished(() => subject.storage.close());
    return subject;
  };

  describe(`in ${name}`, () => {
    testContents(opened);
    testRanges(opened);
    if (!isHeld) testMemory(opened);
    testKeys(opened);
    testFaults(opened);
    testUrls(opened);
  });
}

function testMemory(open: () => Promise<Subject>): void {
  test('holds no more than a few parts of 40 MB, in and out', async () => {
    const { storage } = await open();
    await storage.put(contentOf(1, { key: 'a/undated/first.mp3' }));
    const before = liveBytes();
    let most = 0;
    const onLive = (bytes: number): void => void (most = Math.max(most, bytes - before));
    const content = contentOf(40 * MEGABYTE);
    const { url } = await storage.put({ ...content, open: () => watched(partsOf(40 * MEGABYTE), onLive) });
    const facts = await factsOf(watched(storage.read(url), onLive));
    expect(facts).toEqual({ bytes: 40 * MEGABYTE, sha256: content.sha256 });
    expect(most).toBeLessThan(ALIVE_LIMIT);
  });
}

function testContents(open: () => Promise<Subject>): void {
  test.for([0, 1, 5 * MEGABYTE])('gives %i bytes back as they were', async (bytes) => {
    const { storage, base } = await open();
    const content = contentOf(bytes);
    const { url } = await storage.put(content);
    expect(url).toBe(`${base}agent_1/2026/03/01/conv_1.mp3`);
    expect(await factsOf(storage.read(url))).toEqual({ bytes, sha256: content.sha256 });
  });

  test('ends a reading that nobody goes on with', async () => {
    const { storage } = await open();
    const { url } = await storage.put(contentOf(5 * MEGABYTE));
    let bytes = 0;
    for await (const part of storage.read(url)) {
      bytes = part.length;
      break;
    }
    expect(bytes).toBeGreaterThan(0);
  });

  test('ends a reading by the signal, with its reason', async () => {
    const { storage } = await open();
    const { url } = await storage.put(contentOf(5 * MEGABYTE));
    const controller = new AbortController();
    const reading = factsOf(
      (async function* () {
        for await (const part of storage.read(url, { signal: controller.signal })) {
          controller.abort(new Error('the listener left'));
          yield part;
        }
      })(),
    );
    await expect(reading).rejects.toThrow('the listener left');
  });
}

function testRanges(open: () => Promise<Subject>): void {
  test('gives the range that is asked for, and tells the size', async () => {
    const { storage } = await open();
    const { url } = await storage.put(contentOf(100_000));
    const whole = await bytesOf(storage.read(url));
    const read = (start?: number, end?: number) => bytesOf(storage.read(url, { start, end }));
    const asked = [await read(0, 1), await read(65_530, 70_000), await read(99_999), await read(undefined, 9)];
    expect(asked.map((bytes) => bytes.length)).toEqual([2, 4471, 1, 10]);
    expect(asked).toEqual([
      whole.subarray(0, 2),
      whole.subarray(65_530, 70_001),
      whole.subarray(99_999),
      whole.subarray(0, 10),
    ]);
    expect(await storage.sizeOf(url)).toBe(100_000);
  });

  test('leaves out what of a range is behind the end', async () => {
    const { storage } = await open();
    const { url } = await storage.put(contentOf(1000));
    expect(await factsOf(storage.read(url, { start: 990, end: 5000 }))).toMatchObject({ bytes: 10 });
    expect(await factsOf(storage.read(url, { start: 1000 }))).toMatchObject({ bytes: 0 });
  });

  test('tells neither the size nor a range of what is gone', async () => {
    const { storage } = await open();
    const { url } = await storage.put(contentOf(10));
    await storage.remove(url);
    await expect(storage.sizeOf(url)).rejects.toMatchObject({ name: 'StorageError', code: 'missing' });
    await expect(factsOf(storage.read(url, { start: 3 }))).rejects.toMatchObject({ code: 'missing' });
  });

  test.for([{ start: -1 }, { start: 0.5 }, { start: NaN }, { start: 5, end: 4 }])(
    'refuses %j, which is no range',
    async (range) => {
      const { storage, base } = await open();
      await expect(factsOf(storage.read(`${base}${KEY}`, range))).rejects.toThrow(RangeError);
    },
  );
}

async function bytesOf(parts: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const part of parts) all.push(part);
  return Buffer.concat(all);
}

function testKeys(open: () => Promise<Subject>): void {
  test('stores the same content once, without reading it again', async () => {
    const { storage, list } = await open();
    const content = contentOf(1000);
    const first = await storage.put(content);
    expect(await storage.put(content)).toEqual(first);
    expect(content.opened).toBe(1);
    expect(await list()).toEqual([KEY]);
  });

  test('keeps another content under the key with its hash, also of the same size', async () => {
    const { storage, base, list } = await open();
    const [first, second] = [contentOf(1000), contentOf(1000, { seed: 2 })];
    await storage.put(first);
    const { url } = await storage.put(second);
    const key = `agent_1/2026/03/01/conv_1-${second.sha256.slice(0, 16)}.mp3`;
    expect(url).toBe(`${base}${key}`);
    expect(await storage.put(second)).toEqual({ url });
    expect(second.opened).toBe(1);
    expect(await factsOf(storage.read(url))).toMatchObject({ sha256: second.sha256 });
    expect(await factsOf(storage.read(`${base}${KEY}`))).toMatchObject({ sha256: first.sha256 });
    expect((await list()).toSorted()).toEqual([key, KEY].toSorted());
  });

  test('writes a content once that ten store at the same time', async () => {
    const { storage, base, list } = await open();
    const content = contentOf(MEGABYTE);
    const stored = await Promise.all(Array.from({ length: 10 }, () => storage.put(content)));
    expect(stored).toEqual(Array.from({ length: 10 }, () => ({ url: `${base}${KEY}` })));
    expect(content.opened).toBe(1);
    expect(await list()).toEqual([KEY]);
  });

  test('keeps both of two contents that ten store at the same time under one key', async () => {
    const { storage, list } = await open();
    const contents = [contentOf(MEGABYTE), contentOf(MEGABYTE, { seed: 2 })];
    const puts = Array.from({ length: 10 }, (_, at) => contents[at % 2] ?? contentOf(1));
    const urls = await Promise.all(puts.map(async (content) => (await storage.put(content)).url));
    expect(new Set(urls).size).toBe(2);
    const read = await Promise.all(urls.map((url) => factsOf(storage.read(url))));
    expect(read.map(({ sha256 }) => sha256)).toEqual(puts.map(({ sha256 }) => sha256));
    expect(await list()).toHaveLength(2);
  });

  test.for([
    '../agent/undated/c.mp3',
    '/agent/undated/c.mp3',
    'agent/../c.mp3',
    '.agent/undated/c.mp3',
    'agent/undated/a b.mp3',
    'agent/undated/c',
    'c.mp3',
  ])('stores nothing under the key %s', async (key) => {
    const { storage, list } = await open();
    await expect(storage.put(contentOf(10, { key }))).rejects.toMatchObject({ code: 'refused' });
    expect(await list()).toEqual([]);
  });
}

function testFaults(open: () => Promise<Subject>): void {
  const good = contentOf(MEGABYTE);
  test.for([
    ['shorter', { ...good, open: () => partsOf(MEGABYTE - 1) }, 'has 1048575 bytes, and 1048576 were announced'],
    ['longer', { ...good, open: () => partsOf(MEGABYTE + 1) }, 'has more than the 1048576 bytes'],
    ['other', { ...good, open: () => partsOf(MEGABYTE, 2) }, 'has not the SHA-256'],
    ['not empty', { ...contentOf(0), open: () => partsOf(10) }, 'has more than the 0 bytes'],
    ['of one part and wrong', { ...contentOf(10), open: () => partsOf(10, 2) }, 'has not the SHA-256'],
  ] as const)('stores nothing of a content that is %s than announced', async ([, content, message]) => {
    const { storage, list } = await open();
    await expect(storage.put(content)).rejects.toMatchObject({
      name: 'StorageError',
      code: 'damaged',
      message: expect.stringContaining(message),
    });
    expect(await list()).toEqual([]);
    const { url } = await storage.put({ ...content, open: () => partsOf(content.bytes) });
    expect(await factsOf(storage.read(url))).toEqual({ bytes: content.bytes, sha256: content.sha256 });
  });

  test.for([0, 3])('stores nothing of a content whose reading fails after %i parts', async (parts) => {
    const { storage, list } = await open();
    const fault = new Error('the disk of the source fails');
    const failing = async function* () {
      let left = parts;
      for await (const part of partsOf(MEGABYTE)) {
        if (left === 0) throw fault;
        left -= 1;
        yield part;
      }
    };
    await expect(storage.put({ ...good, open: failing })).rejects.toBe(fault);
    expect(await list()).toEqual([]);
    await storage.put(good);
    expect(await list()).toEqual([KEY]);
  });

  test('would take a write now, and shows nothing of the try', async () => {
    const { storage, list } = await open();
    await storage.check();
    await storage.check();
    expect(await list()).toEqual([]);
  });
}

function testUrls(open: () => Promise<Subject>): void {
  test('says that nothing is there, once it is removed', async () => {
    const { storage, list } = await open();
    const { url } = await storage.put(contentOf(10));
    await storage.remove(url);
    await expect(factsOf(storage.read(url))).rejects.toMatchObject({ name: 'StorageError', code: 'missing' });
    await storage.remove(url);
    expect(await list()).toEqual([]);
    expect(await storage.put(contentOf(10))).toEqual({ url });
  });

  test.for([
    '<base>../../../../etc/passwd',
    '<base>agent/undated/../../../secret/undated/key.pem',
    '<base>agent/undated/.ssh/key.pem',
    '<base>agent/undated//c.mp3',
    '<base>secrets',
    'file:agent/undated/c.mp3',
    'file:/etc/passwd',
    'https://example.com/agent/undated/c.mp3',
    's3://bucket',
    '',
  ])('neither reads nor removes what no recording has as its URL: %s', async (text) => {
    const { storage, base } = await open();
    const url = text.replace('<base>', base);
    await expect(factsOf(storage.read(url))).rejects.toMatchObject({ code: 'refused' });
    await expect(storage.sizeOf(url)).rejects.toMatchObject({ code: 'refused' });
    await expect(storage.remove(url)).rejects.toMatchObject({ code: 'refused' });
  });
}
