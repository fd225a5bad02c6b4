import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { createClock } from '../../src/clock.ts';
import { JournalUnavailableError } from '../../src/errors.ts';
import { createPressure } from '../../src/room/pressure.ts';
import { createRoom, type Room } from '../../src/room/room.ts';
import { beginSegment } from '../../src/segment/begin-segment.ts';
import { createSegmentList, type SegmentList } from '../../src/segment/segment-list.ts';
import type { Segment } from '../../src/segment/segment.ts';
import { holdFolder } from '@landline/held-folder';
import { aClock } from '../support/a-clock.ts';
import { append } from '../support/a-segment.ts';

const LIMIT = 100_000;
const PLENTY = { free: 1e12, total: 1e12 };

interface Scene {
  dir: string;
  room: Room;
  segments: SegmentList;
  errors: unknown[];
  space: { free: number; total: number };
  /** The segment in use. Another is begun where closing it would free room. */
  current: { segment: Segment | undefined; begun: number };
  /** Adds a segment of at least so many bytes, which Redis has or lacks. */
  add: (bytes: number, outcome?: 'enqueued' | 'failed') => Promise<Segment>;
}

async function aRoom(): Promise<Scene> {
  const dir = await makeTempFolder();
  const { options } = aClock();
  const clock = createClock({ wall: options.now, elapsed: options.elapsed });
  const folder = await holdFolder(dir);
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  const space = { ...PLENTY };
  const current: Scene['current'] = { segment: undefined, begun: 0 };
  const segments = createSegmentList({ limitBytes: LIMIT, retentionHours: 1, clock, onError });
  onTestFinished(async () => {
    await segments.close();
    await folder.release();
  });
  const pressure = createPressure({ dir, limitBytes: LIMIT, diskSpace: async () => space, onLow: onError });
  const room = createRoom({
    dir,
    limitBytes: LIMIT,
    segmentBytes: LIMIT / 8,
    writeTimeoutMs: 5000,
    clock,
    segments,
    pressure,
    onError,
    current: {
      get: () => current.segment,
      folder: () => folder,
      couldFreeRoom: () => current.segment?.isEnqueued() === true,
      async begin() {
        current.begun += 1;
        current.segment = undefined;
      },
    },
    keepsExpired: () => false,
  });
  let number = 0;
  return {
    dir,
    room,
    segments,
    errors,
    space,
    current,
    async add(bytes, outcome = 'enqueued') {
      const segment = await beginSegment(folder.path, folder.owner, { at: clock.now(), number: number++ });
      segments.add(segment);
      const [range] = await append(segment, ['x'.repeat(bytes)], { at: clock.now(), clock });
      if (range !== undefined) segment.settle(range, outcome);
      return segment;
    },
  };
}

describe('room for a group', () => {
  it('is there up to the limit, and no byte more', async () => {
    const { room } = await aRoom();
    await room.reserve(LIMIT);
    await expect(room.reserve(1)).rejects.toBeInstanceOf(JournalUnavailableError);
    room.release(1);
    expect(room.isFull()).toBe(true);
    await room.reserve(1);
    expect(room.isFull()).toBe(false);
  });

  it('counts what is under way, for as long as it is', async () => {
    const { room } = await aRoom();
    await Promise.all(Array.from({ length: 10 }, () => room.reserve(LIMIT / 10)));
    await expect(room.reserve(1)).rejects.toThrow('JOURNAL_LIMIT_BYTES');
    for (let i = 0; i < 10; i++) room.release(LIMIT / 10);
    await room.reserve(LIMIT);
  });

  it('counts the files of other processes, when it has looked', async () => {
    const { dir, room } = await aRoom();
    await mkdir(join(dir, 'aaaaaaaaaaaa'));
    await writeFile(join(dir, 'aaaaaaaaaaaa', 'file'), Buffer.alloc(60_000));
    await writeFile(join(dir, 'beside'), Buffer.alloc(60_000));
    await room.enforceLimits();
    expect(room.usedBytes()).toBe(60_000);
    await room.reserve(40_000);
    await expect(room.reserve(1)).rejects.toBeInstanceOf(JournalUnavailableError);
  });

  it('counts a segment that came from another process once', async () => {
    const { dir, room, add, segments } = await aRoom();
    await mkdir(join(dir, 'aaaaaaaaaaaa'));
    await writeFile(join(dir, 'aaaaaaaaaaaa', 'file'), Buffer.alloc(50_000));
    await room.enforceLimits();
    const segment = await add(30_000, 'failed');
    room.countAsOwn(segment.facts.bytes);
    expect(room.usedBytes()).toBe(50_000);
    room.countAsOwn(90_000);
    expect(room.usedBytes()).toBe(segments.bytes());
  });

  it('is made of what Redis has in closed files', async () => {
    const { room, add, segments, current } = await aRoom();
    const [, lacked] = [await add(40_000), await add(40_000, 'failed')];
    await room.reserve(50_000);
    expect([segments.all(), current.begun]).toEqual([[lacked], 0]);
  });

  it('is made of the segment in use at last: another is begun then', async () => {
    const { room, add, segments, current } = await aRoom();
    current.segment = await add(60_000);
    await room.reserve(30_000);
    expect([segments.all().length, current.begun]).toEqual([1, 0]);
    await room.reserve(30_000);
    expect([segments.all(), current.begun]).toEqual([[], 1]);
  });

  it('is refused where Redis lacks all of it, and there again when Redis has some', async () => {
    const { room, add } = await aRoom();
    const segment = await add(90_000, 'failed');
    await expect(room.reserve(20_000)).rejects.toMatchObject({ code: 'journal_unavailable' });
    const [range] = segment.pending();
    if (range === undefined) throw new Error('It is pending.');
    const taken = { ...range };
    segment.take(taken);
    await expect(room.reserve(20_000)).rejects.toMatchObject({ code: 'journal_unavailable' });
    segment.settle(taken, 'enqueued');
    await room.reserve(20_000);
    expect(room.isFull()).toBe(false);
  });
});

describe('the check at each tick', () => {
  it('leaves a tenth of the limit free for the others', async () => {
    const { room, add, segments } = await aRoom();
    const segment = await add(88_000);
    await room.enforceLimits();
    expect([segments.all(), room.isShort()]).toEqual([[segment], false]);
    const second = await add(4000);
    expect(room.isShort()).toBe(true);
    await room.enforceLimits();
    expect([segments.all(), room.isShort()]).toEqual([[second], false]);
  });

  it('opens a full journal again only when there is room for more than a little', async () => {
    const { room } = await aRoom();
    await room.reserve(LIMIT);
    await expect(room.reserve(1)).rejects.toBeInstanceOf(JournalUnavailableError);
    room.release(64 * 1024 - 1);
    await room.enforceLimits();
    expect(room.isFull()).toBe(true);
    room.release(1);
    await room.enforceLimits();
    expect(room.isFull()).toBe(false);
  });

  it('keeps nothing that Redis has while the disk is low, and reports the disk', async () => {
    const { room, add, segments, space, errors } = await aRoom();
    const [, lacked] = [await add(1000), await add(1000, 'failed')];
    space.free = 1000;
    await room.enforceLimits();
    expect(segments.all()).toEqual([lacked]);
    expect(errors).toMatchObject([{ message: expect.stringContaining('bytes free') }]);
    space.free = PLENTY.free;
    await room.enforceLimits();
    const kept = await add(1000);
    await room.enforceLimits();
    expect(segments.all()).toContain(kept);
  });
});

describe('what another process asks for', () => {
  it('is made of closed files where they are enough', async () => {
    const { room, add, segments, current } = await aRoom();
    await add(10_000);
    current.segment = await add(10_000);
    await room.freeForOthers(5000);
    expect([segments.all(), current.begun]).toEqual([[current.segment], 0]);
  });

  it('is made of the segment in use as well where they are not', async () => {
    const { room, add, segments, current } = await aRoom();
    await add(10_000);
    current.segment = await add(10_000);
    await room.freeForOthers(15_000);
    expect([segments.all(), current.begun]).toEqual([[], 1]);
  });

  it('is never made of what Redis lacks', async () => {
    const { room, add, segments, current } = await aRoom();
    const lacked = await add(10_000, 'failed');
    current.segment = await add(10_000, 'failed');
    await room.freeForOthers(15_000);
    expect([segments.all(), current.begun]).toEqual([[lacked, current.segment], 0]);
  });
});
