import { createHash } from 'node:crypto';
import { appendFile, mkdir, readdir, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { encodeFooter } from '../../src/spool/footer.ts';
import { createSpool, type Spool, type SpoolOptions } from '../../src/spool/spool.ts';
import type { SpooledBody } from '../../src/spool/spooled-body.ts';

const MIB = 1024 * 1024;
const FACTS = {
  receivedAt: 1_767_225_600_123,
  signedAt: 1_767_225_600,
  secretId: '0123abcd',
  traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
};

interface TestSpool extends Spool {
  dir: string;
  bodies: SpooledBody[];
  errors: string[];
  ready: number;
}

async function aSpool(options: Partial<SpoolOptions> = {}): Promise<TestSpool> {
  const dir = options.dir ?? (await makeTempFolder());
  const bodies: SpooledBody[] = [];
  const errors: string[] = [];
  const spool = createSpool({
    dir,
    limitBytes: 64 * MIB,
    onBody: (body) => bodies.push(body),
    onError: ({ message }) => errors.push(message),
    onReady: () => (found.ready += 1),
    checkMs: 20,
    ...options,
  });
  const found: TestSpool = { ...spool, dir, bodies, errors, ready: 0 };
  await spool.open();
  onTestFinished(() => spool.close());
  return found;
}

async function keep(spool: Spool, body: Buffer): Promise<SpooledBody> {
  const writer = spool.begin({ isLarge: true });
  for (let at = 0; at < body.length; at += 100_000) {
    // oxlint-disable-next-line no-await-in-loop -- piece after piece
    await writer.write(body.subarray(at, at + 100_000));
  }
  const sha256 = createHash('sha256').update(body).digest('hex');
  return writer.keep({ ...FACTS, sha256, eventId: '00000000-0000-0000-0000-000000000001', bytes: body.length });
}

async function bytesOf(body: SpooledBody, from = 0, to = body.facts.bytes): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of body.read(from, to)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** A body in which every four bytes are another number. */
function numbered(bytes: number): Buffer {
  const body = Buffer.alloc(bytes);
  for (let at = 0; at + 4 <= bytes; at += 4) body.writeUInt32LE(at, at);
  return body;
}

async function filesOf({ dir }: TestSpool): Promise<string[]> {
  const folders = await readdir(dir);
  const names = await Promise.all(folders.map((folder) => readdir(join(dir, folder))));
  return names.flat().filter((name) => name !== 'lock');
}

describe('a body that is kept', () => {
  it.each([0, 1, 300_000, 9 * MIB])('has its %i bytes and its facts, and is reported', async (bytes) => {
    const spool = await aSpool();
    const body = numbered(bytes);
    const kept = await keep(spool, body);
    expect(spool.bodies).toEqual([kept]);
    expect(kept.facts).toEqual({
      ...FACTS,
      sha256: createHash('sha256').update(body).digest('hex'),
      eventId: '00000000-0000-0000-0000-000000000001',
      bytes,
    });
    expect((await bytesOf(kept)).equals(body)).toBe(true);
    expect(spool.stats()).toMatchObject({ files: 1, oldestAt: FACTS.receivedAt, damagedFiles: 0 });
  });

  it('is read from any byte to any other', async () => {
    const spool = await aSpool();
    const body = numbered(MIB);
    const kept = await keep(spool, body);
    for (const [from, to] of [
      [0, 0],
      [5, 6],
      [262_143, 262_145],
      [700_001, MIB],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await bytesOf(kept, from, to)).equals(body.subarray(from, to))).toBe(true);
    }
  });

  it('counts until it is removed, once', async () => {
    const spool = await aSpool();
    const kept = await keep(spool, numbered(MIB));
    expect(spool.stats().bytes).toBeGreaterThan(MIB);
    await kept.remove();
    await kept.remove();
    expect(spool.stats()).toMatchObject({ files: 0, bytes: 0, oldestAt: undefined });
    expect(await filesOf(spool)).toEqual([]);
  });
});

describe('a body that is not kept', () => {
  it('leaves no file, also where it is given up in the middle of a write', async () => {
    const spool = await aSpool();
    const writer = spool.begin({ isLarge: true });
    const writing = writer.write(numbered(MIB));
    await writer.discard();
    await writing;
    expect(await filesOf(spool)).toEqual([]);
    expect(spool.stats()).toMatchObject({ files: 0, bytes: 0 });
  });

  it('is removed when its process has died, and verified ones are taken over', async () => {
    const dead = await aSpool();
    const body = numbered(2 * MIB);
    await keep(dead, body);
    await dead.begin({ isLarge: true }).write(numbered(MIB));
    await dead.close();
    expect(await filesOf(dead)).toHaveLength(2);

    const heir = await aSpool({ dir: dead.dir });
    expect(heir.bodies).toHaveLength(1);
    expect(heir.bodies[0]?.facts).toMatchObject({ ...FACTS, bytes: 2 * MIB });
    const [taken] = heir.bodies;
    if (taken === undefined) throw new Error('Nothing was taken over.');
    expect((await bytesOf(taken)).equals(body)).toBe(true);
    expect(await readdir(dead.dir)).toEqual([basename(dirname(taken.path))]);
    expect(heir.stats().bytes).toBeGreaterThan(2 * MIB);
    await taken.remove();
    expect(heir.stats()).toMatchObject({ files: 0, bytes: 0 });
  });
});

it('takes over while it runs, each body once among several', async () => {
  const dead = await aSpool();
  for (let i = 0; i < 20; i++) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await keep(dead, numbered(100 + i));
  }
  const heirs = await Promise.all([aSpool({ dir: dead.dir }), aSpool({ dir: dead.dir }), aSpool({ dir: dead.dir })]);
  expect(heirs.flatMap(({ bodies }) => bodies)).toEqual([]);
  await dead.close();
  const found = () => heirs.flatMap(({ bodies }) => bodies.map(({ facts }) => facts.bytes));
  await expect.poll(found, { timeout: 20_000 }).toHaveLength(20);
  expect(found().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => 100 + i));
});

describe('a damaged file', () => {
  const damages: Record<string, (path: string) => Promise<void>> = {
    'that lost its end': (path) => truncate(path, 500),
    'that lost its middle': async (path) => {
      await truncate(path, 500);
      await appendFile(path, Buffer.from('{"receivedAt":1}\x10\0\0\0\0\0\0\0LLS1', 'latin1'));
    },
    'that is empty': (path) => truncate(path, 0),
    // A length that is far from that of any facts is damage, and costs no memory.
    'whose facts are 64 KiB and more': (path) =>
      writeFile(path, encodeFooter({ ...FACTS, eventId: 'x'.repeat(65_536), sha256: '', bytes: 0 })),
  };
  it.each(Object.entries(damages))('%s is set aside and reported, and the others are taken over', async (_, damage) => {
    const dead = await aSpool();
    const broken = await keep(dead, numbered(1000));
    await keep(dead, numbered(2000));
    await damage(broken.path);
    await dead.close();
    const heir = await aSpool({ dir: dead.dir });
    expect(heir.bodies.map(({ facts }) => facts.bytes)).toEqual([2000]);
    expect(heir.stats()).toMatchObject({ files: 1, damagedFiles: 1 });
    expect(heir.errors).toEqual([expect.stringContaining('is damaged')]);
    expect((await filesOf(heir)).filter((name) => name.endsWith('.damaged'))).toHaveLength(1);

    // It stays with the next processes, and does not keep the folder of an ended one.
    await heir.close();
    const next = await aSpool({ dir: dead.dir });
    expect(next.stats()).toMatchObject({ files: 1, damagedFiles: 1 });
    expect(await readdir(dead.dir)).toHaveLength(1);
  });

  it('counts until a person removes it, whether it was found at a take-over or later', async () => {
    const dead = await aSpool();
    const broken = await keep(dead, numbered(MIB));
    await truncate(broken.path, 1000);
    await dead.close();
    const spool = await aSpool({ dir: dead.dir });
    await spool.setAside(await keep(spool, numbered(2 * MIB)));
    expect(spool.stats()).toMatchObject({ files: 0, damagedFiles: 2 });
    expect(spool.stats().bytes).toBeGreaterThan(2 * MIB + 1000);
    const [own = ''] = await readdir(spool.dir);
    const damaged = (await filesOf(spool)).filter((name) => name.endsWith('.damaged'));
    await Promise.all(damaged.map((name) => rm(join(spool.dir, own, name))));
    await expect.poll(() => spool.stats(), { timeout: 20_000 }).toMatchObject({ damagedFiles: 0, bytes: 0 });
  });
});

describe('room', () => {
  it('is refused above the limit; an eighth is kept for small bodies', async () => {
    const spool = await aSpool({ limitBytes: 16 * MIB });
    expect(spool.hasRoomFor(14 * MIB)).toBe(true);
    expect(spool.hasRoomFor(14 * MIB + 1)).toBe(false);
    const large = spool.begin({ isLarge: true });
    await large.write(numbered(14 * MIB));
    await expect(large.write(Buffer.alloc(1))).rejects.toMatchObject({ code: 'full' });
    const small = spool.begin({ isLarge: false });
    await small.write(numbered(MIB));
    await expect(small.write(numbered(2 * MIB))).rejects.toMatchObject({ code: 'full' });
    await Promise.all([large.discard(), small.discard()]);
    expect(spool.hasRoomFor(14 * MIB)).toBe(true);
  });

  it('for bodies that arrive is half of that for large ones; a verified body counts no more', async () => {
    const spool = await aSpool({ limitBytes: 16 * MIB });
    const [first, second] = [spool.begin({ isLarge: true }), spool.begin({ isLarge: true })];
    await first.write(numbered(5 * MIB));
    await second.write(numbered(2 * MIB));
    await expect(second.write(Buffer.alloc(1))).rejects.toMatchObject({ code: 'crowded' });
    expect([spool.errors, spool.status()]).toEqual([[], 'ready']);
    expect(spool.hasRoomFor(14 * MIB)).toBe(true);
    await first.keep({ ...FACTS, sha256: '', eventId: '', bytes: 5 * MIB });
    await second.write(numbered(4 * MIB));
    expect(spool.hasRoomFor(9 * MIB)).toBe(false);
    await second.discard();
    expect(spool.hasRoomFor(8 * MIB)).toBe(true);
  });

  it('is made by others that are discarded, and then is there at once', async () => {
    const spool = await aSpool({ limitBytes: 16 * MIB });
    const slow = [1, 2, 3].map(() => spool.begin({ isLarge: true }));
    await Promise.all(slow.map((writer) => writer.write(numbered(2 * MIB))));
    const discarding: Promise<void>[] = [];
    const writer = spool.begin({
      isLarge: true,
      makeRoom(hasRoom) {
        while (!hasRoom()) discarding.push(slow.shift()?.discard() ?? Promise.reject(new Error('All are discarded.')));
      },
    });
    await writer.write(numbered(4 * MIB));
    expect(discarding).toHaveLength(2);
    await Promise.all([...discarding, ...slow.map((left) => left.discard()), writer.discard()]);
    expect(await filesOf(spool)).toEqual([]);
    expect(spool.stats().bytes).toBe(0);
  });

  it('for bodies that arrive is shared by the processes of the folder', async () => {
    const first = await aSpool({ limitBytes: 16 * MIB });
    const second = await aSpool({ dir: first.dir, limitBytes: 16 * MIB });
    const writers = [1, 2].map(() => second.begin({ isLarge: true }));
    await writers[0]?.write(numbered(3 * MIB));
    await expect(writers[1]?.write(numbered(MIB))).rejects.toMatchObject({ code: 'crowded' });
    await writers[1]?.write(numbered(MIB / 2));
    await Promise.all(writers.map((writer) => writer.discard()));
  });

  it('counts what other processes hold', async () => {
    const first = await aSpool({ limitBytes: 16 * MIB });
    await keep(first, numbered(10 * MIB));
    const second = await aSpool({ dir: first.dir, limitBytes: 16 * MIB });
    expect(second.hasRoomFor(5 * MIB)).toBe(false);
    await first.bodies[0]?.remove();
    await expect.poll(() => second.hasRoomFor(5 * MIB), { timeout: 20_000 }).toBe(true);
  });

  it('ends before the disk is full: others write to it as well', async () => {
    const space = { free: 300 * MIB, total: 1024 * 1024 * MIB };
    const spool = await aSpool({ diskSpace: () => Promise.resolve({ ...space }) });
    expect([spool.hasRoomFor(44 * MIB), spool.hasRoomFor(45 * MIB)]).toEqual([true, false]);
    expect(spool.stats().diskFreeBytes).toBe(300 * MIB);
    space.free = 1000 * MIB;
    await expect.poll(() => spool.hasRoomFor(45 * MIB), { timeout: 20_000 }).toBe(true);
  });

  it('on a disk that is nearly full is there as soon as a body is discarded', async () => {
    const space = { free: 300 * MIB, total: 1024 * 1024 * MIB };
    const spool = await aSpool({ diskSpace: () => Promise.resolve({ ...space }) });
    const slow = [spool.begin({ isLarge: true }), spool.begin({ isLarge: true })];
    await Promise.all(slow.map((writer) => writer.write(numbered(10 * MIB))));
    space.free = 260 * MIB;
    await expect.poll(() => spool.stats().diskFreeBytes, { timeout: 20_000 }).toBe(260 * MIB);
    let discarded = 0;
    const makeRoom = (hasRoom: () => boolean) => {
      for (const writer of slow) {
        if (hasRoom()) return;
        discarded += 1;
        void writer.discard();
      }
    };
    const writer = spool.begin({ isLarge: true, makeRoom });
    // All of them together do not have so much.
    await expect(writer.write(numbered(30 * MIB))).rejects.toMatchObject({ code: 'full' });
    expect(discarded).toBe(0);
    await writer.write(numbered(8 * MIB));
    expect(discarded).toBe(1);
    await Promise.all([...slow, writer].map((left) => left.discard()));
  });

  it('is not bounded by a disk whose space nobody knows', async () => {
    const spool = await aSpool({ diskSpace: () => Promise.reject(new Error('EIO: made up')) });
    expect(spool.hasRoomFor(50 * MIB)).toBe(true);
  });
});

describe('a folder that cannot be used', () => {
  it('because somebody removed it is made anew, and takes bodies again', async () => {
    const spool = await aSpool();
    const lost = await keep(spool, numbered(1000));
    await rm(dirname(lost.path), { recursive: true });
    await expect(keep(spool, numbered(10))).rejects.toMatchObject({ code: 'failed' });
    expect(spool.status()).toBe('failed');
    await expect.poll(() => readdir(spool.dir), { timeout: 20_000 }).toHaveLength(1);
    const kept = await keep(spool, numbered(5000));
    expect((await bytesOf(kept)).equals(numbered(5000))).toBe(true);
    expect(spool.status()).toBe('ready');
    await expect(bytesOf(lost)).rejects.toThrow('is gone');
    await lost.remove();
    expect(spool.stats()).toMatchObject({ files: 1, damagedFiles: 0 });
  });

  it('is reported once, takes no bodies, and is used as soon as it can be', async () => {
    const root = await makeTempFolder();
    await writeFile(join(root, 'spool'), 'a file in its place');
    const spool = await aSpool({ dir: join(root, 'spool') });
    expect([spool.status(), spool.hasRoomFor(1)]).toEqual(['failed', false]);
    expect(() => spool.begin({ isLarge: true })).toThrow('takes no bodies');
    expect(spool.errors).toEqual([expect.stringContaining('The spool in SPOOL_DIR takes no bodies')]);
    await rename(join(root, 'spool'), join(root, 'elsewhere'));
    await mkdir(join(root, 'spool'));
    await expect.poll(() => spool.status(), { timeout: 20_000 }).toBe('ready');
    expect(spool.ready).toBe(1);
    const kept = await keep(spool, numbered(5000));
    expect((await bytesOf(kept)).equals(numbered(5000))).toBe(true);
    expect(spool.errors).toHaveLength(1);
  });
});

describe('the beginning of a body that arrives', () => {
  it.each([1000, 300_000, 3 * MIB])('of %d bytes can be read, and the body discarded right after', async (bytes) => {
    const spool = await aSpool();
    const body = numbered(bytes);
    const writer = spool.begin({ isLarge: true });
    for (let at = 0; at < body.length; at += 100_000) {
      // oxlint-disable-next-line no-await-in-loop -- piece after piece
      await writer.write(body.subarray(at, at + 100_000));
    }
    const head = writer.head(262_144);
    await writer.discard();
    expect((await head).equals(body.subarray(0, 262_144))).toBe(true);
    expect(spool.stats().bytes).toBe(0);
  });
});
