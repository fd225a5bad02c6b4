import { mkdir, readdir, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { createClock, type Clock } from '../../src/clock.ts';
import { beginSegment } from '../../src/segment/begin-segment.ts';
import { createSegmentList, type SegmentList } from '../../src/segment/segment-list.ts';
import type { Segment } from '../../src/segment/segment.ts';
import { aClock, type TestClock } from '../support/a-clock.ts';
import { append } from '../support/a-segment.ts';

const HOUR_MS = 3_600_000;
const LIMIT = 100_000;

interface Scene {
  list: SegmentList;
  folder: string;
  test: TestClock;
  clock: Clock;
  errors: string[];
  /** Adds a segment with a record of so many bytes, which Redis has or lacks. */
  add: (bytes: number, outcome?: 'enqueued' | 'failed') => Promise<Segment>;
  files: () => Promise<string[]>;
}

async function aList(): Promise<Scene> {
  const folder = await makeTempFolder();
  const test = aClock();
  const clock = createClock({ wall: test.options.now, elapsed: test.options.elapsed });
  const errors: string[] = [];
  const list = createSegmentList({
    limitBytes: LIMIT,
    retentionHours: 1,
    clock,
    onError: (error) => errors.push(error.message),
  });
  onTestFinished(() => list.close());
  let number = 0;
  return {
    list,
    folder,
    test,
    clock,
    errors,
    async add(bytes, outcome = 'enqueued') {
      test.pass(1000);
      const segment = await beginSegment(folder, '0123456789ab', { at: clock.now(), number: number++ });
      list.add(segment);
      const [range] = await append(segment, ['x'.repeat(bytes)], { at: clock.now(), clock });
      if (range !== undefined) segment.settle(range, outcome);
      return segment;
    },
    files: async () => (await readdir(folder)).filter((name) => name.endsWith('.log')).sort(),
  };
}

describe('the room for more', () => {
  it('is there while all files together have no more bytes than the limit', async () => {
    const { list, add, files } = await aList();
    await add(1000);
    const used = list.bytes();
    expect(used).toBeGreaterThan(1000);
    const options = { otherBytes: 500, current: undefined };
    expect(list.makeRoom(LIMIT - used - 500, options)).toBe(true);
    expect(await files()).toHaveLength(1);
    expect(list.makeRoom(LIMIT - used - 499, options)).toBe(true);
    // The segment was removed for room.
    await vi.waitUntil(async () => (await files()).length === 0, { timeout: 20_000 });
    expect(list.makeRoom(LIMIT - 499, options)).toBe(false);
  });

  it('is made of the oldest that Redis has, and of no more than needed', async () => {
    const { list, add, files } = await aList();
    const segments = [await add(30_000), await add(30_000), await add(30_000)];
    expect(list.makeRoom(30_000, { otherBytes: 0, current: undefined })).toBe(true);
    expect(list.all()).toEqual(segments.slice(1));
    await vi.waitUntil(async () => (await files()).length === 2, { timeout: 20_000 });
  });

  it('is never made of what Redis lacks, of what is on its way, nor of the file in use', async () => {
    const { list, add } = await aList();
    const [lacked, busy, current] = [await add(30_000, 'failed'), await add(30_000), await add(30_000)];
    const [range] = await append(busy, ['on its way']);
    const options = { otherBytes: 0, current };
    expect(list.makeRoom(30_000, options)).toBe(false);
    expect(list.all()).toEqual([lacked, busy, current]);
    if (range !== undefined) busy.settle(range, 'enqueued');
    expect(list.makeRoom(30_000, options)).toBe(true);
    expect(list.all()).toEqual([lacked, current]);
  });

  it('is made down to less than the limit where that is asked for, and the limit still decides', async () => {
    const { list, add } = await aList();
    const kept = await add(40_000, 'failed');
    await add(40_000);
    expect(list.makeRoom(0, { otherBytes: 0, current: undefined, targetBytes: 10_000 })).toBe(true);
    expect(list.all()).toEqual([kept]);
  });
});

describe('the time for which a segment is kept that Redis has', () => {
  it('counts from its last record, and is over after the retention', async () => {
    const { list, add, test } = await aList();
    const segment = await add(10);
    const options = { otherBytes: 0, current: undefined };
    test.pass(HOUR_MS);
    list.makeRoom(0, options);
    expect(list.all()).toEqual([segment]);
    test.pass(1);
    list.makeRoom(0, options);
    expect(list.all()).toEqual([]);
  });

  it('is without end while a note of a process that is gone is not done with', async () => {
    const { list, add, test } = await aList();
    const segment = await add(10);
    test.pass(10 * HOUR_MS);
    list.makeRoom(0, { otherBytes: 0, current: undefined, keepsExpired: true });
    expect(list.all()).toEqual([segment]);
  });

  it('has no end for what Redis lacks', async () => {
    const { list, add, test } = await aList();
    const segment = await add(10, 'failed');
    test.pass(1000 * HOUR_MS);
    list.makeRoom(0, { otherBytes: 0, current: undefined });
    expect(list.all()).toEqual([segment]);
  });

  it('is over at once where there is no record', async () => {
    const { list, folder, clock, files } = await aList();
    list.add(await beginSegment(folder, '0123456789ab', { at: clock.now(), number: 99 }));
    list.makeRoom(0, { otherBytes: 0, current: undefined });
    expect(list.all()).toEqual([]);
    await vi.waitUntil(async () => (await files()).length === 0, { timeout: 20_000 });
  });
});

describe('what another process asks for', () => {
  it('is freed of the oldest that Redis has, and resolves with the freed bytes', async () => {
    const { list, add } = await aList();
    const segments = [await add(5000), await add(5000, 'failed'), await add(5000), await add(5000)];
    const freed = await list.free(6000, segments[3]);
    expect(freed).toBe((segments[0]?.facts.bytes ?? 0) + (segments[2]?.facts.bytes ?? 0));
    expect(list.all()).toEqual([segments[1], segments[3]]);
    expect(await list.free(1, segments[3])).toBe(0);
  });

  it('is freed once where two ask at a time', async () => {
    const { list, add, files } = await aList();
    const segments = [await add(5000), await add(5000)];
    const freed = await Promise.all([list.free(5000), list.free(5000)]);
    expect(freed.reduce((sum, bytes) => sum + bytes, 0)).toBe(
      segments.reduce((sum, each) => sum + each.facts.bytes, 0),
    );
    expect(await files()).toEqual([]);
  });
});

it('a file that cannot be removed is reported, counted and tried again', async () => {
  const { list, add, errors } = await aList();
  const segment = await add(5000);
  await rm(segment.path());
  await mkdir(segment.path());
  expect(await list.free(1)).toBe(0);
  expect([errors, list.all()]).toEqual([[expect.stringContaining(basename(segment.path()))], [segment]]);
  await rm(segment.path(), { recursive: true });
  expect(await list.free(1)).toBeGreaterThan(0);
  expect(list.all()).toEqual([]);
});

it('lists the oldest first, in any order of arrival', async () => {
  const { list, folder, clock } = await aList();
  const times = [3, 1, 2].map((second) => clock.now() + second * 1000);
  for (const [number, at] of times.entries()) {
    list.add(await beginSegment(folder, '0123456789ab', { at, number }));
  }
  expect(list.all().map(({ facts }) => facts.firstAt)).toEqual([
    clock.now() + 1000,
    clock.now() + 2000,
    clock.now() + 3000,
  ]);
});

it('writes down what is stale alone, and closes what Redis has but for the file in use', async () => {
  const { list, add, folder } = await aList();
  const [enqueued, pending, current] = [await add(10), await add(10, 'failed'), await add(10)];
  await list.writeMarks();
  expect((await readdir(folder)).filter((name) => name.endsWith('.mark'))).toHaveLength(3);
  await Promise.all(
    (await readdir(folder)).filter((name) => name.endsWith('.mark')).map((name) => rm(`${folder}/${name}`)),
  );
  pending.redoSince(Infinity);
  await list.writeMarks();
  expect((await readdir(folder)).filter((name) => name.endsWith('.mark'))).toEqual([
    `${basename(pending.path())}.mark`,
  ]);
  await list.closeIdle(current);
  expect([enqueued.isOpen(), pending.isOpen(), current.isOpen()]).toEqual([false, true, true]);
});

describe('files that another program removed', () => {
  it('take no room any more, and what Redis lacks of them is still there while they are open', async () => {
    const { list, add } = await aList();
    const [enqueued, pending, closed] = [await add(10), await add(10, 'failed'), await add(10, 'failed')];
    await closed.close();
    await rm(dirname(pending.path()), { recursive: true });
    list.detach();
    expect([list.bytes(), list.all(), enqueued.isOpen()]).toEqual([0, [pending], false]);
    const [range] = pending.pending();
    if (range === undefined) throw new Error('It is pending.');
    pending.take({ ...range });
    expect(list.all()).toEqual([pending]);
    pending.redoSince(0);
    expect(list.all()).toEqual([pending]);
  });

  it('are let go when Redis has all of them', async () => {
    const { list, add } = await aList();
    const pending = await add(10, 'failed');
    list.detach();
    const taken = { ...(pending.pending()[0] ?? { from: 0, to: 0, records: 0 }) };
    pending.take(taken);
    pending.settle(taken, 'enqueued');
    list.makeRoom(0, { otherBytes: 0, current: undefined });
    expect([list.all(), pending.isOpen()]).toEqual([[], false]);
  });
});
