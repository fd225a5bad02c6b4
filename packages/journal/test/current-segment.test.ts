import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeTempFolder } from '../../../test/support/temp-folder.ts';
import { createClock } from '../src/clock.ts';
import { createCurrentSegment, type CurrentSegment } from '../src/current-segment.ts';
import { DiskFullError } from '../src/errors.ts';
import { beginRecord } from '../src/segment/record.ts';
import { createSegmentList, type SegmentList } from '../src/segment/segment-list.ts';
import { aClock, type TestClock } from './support/a-clock.ts';
import { event } from './support/a-journal.ts';

const SEGMENT_BYTES = 8000;
const QUARTER_MS = 15 * 60_000;

interface Scene {
  dir: string;
  current: CurrentSegment;
  segments: SegmentList;
  clock: TestClock;
  faults: string[];
  ready: () => number;
  room: { isShort: boolean };
  /** Writes a record that Redis has, or lacks. */
  write: (bytes: number, outcome?: 'enqueued' | 'failed') => Promise<void>;
}

async function aCurrent(): Promise<Scene> {
  const dir = join(await makeTempFolder(), 'journal');
  const testClock = aClock();
  const clock = createClock({ wall: testClock.options.now, elapsed: testClock.options.elapsed });
  const segments = createSegmentList({ limitBytes: 100_000, retentionHours: 1, clock, onError: () => {} });
  const faults: string[] = [];
  const room = { isShort: false };
  let ready = 0;
  const current = createCurrentSegment({
    dir,
    segmentBytes: SEGMENT_BYTES,
    writeTimeoutMs: 5000,
    clock,
    segments,
    isRoomShort: () => room.isShort,
    serve: (socket) => socket.destroy(),
    onFault: ({ message }) => faults.push(message),
    onReady: () => ready++,
  });
  onTestFinished(async () => {
    await current.settled();
    await segments.close();
    await current.folder()?.release();
  });
  return {
    dir,
    current,
    segments,
    clock: testClock,
    faults,
    ready: () => ready,
    room,
    async write(bytes, outcome = 'enqueued') {
      const { segment, range } = await current.writer.write(beginRecord([event('x'.repeat(bytes))]));
      segment.settle(range, outcome);
    },
  };
}

describe('the segment in use', () => {
  it('is begun by the first check, in a folder of the process', async () => {
    const { dir, current, segments } = await aCurrent();
    expect([current.get(), current.folder(), current.hasFailed()]).toEqual([undefined, undefined, false]);
    await current.check();
    expect(segments.all()).toEqual([current.get()]);
    expect(dirname(current.get()?.path() ?? '')).toBe(join(dir, current.folder()?.owner ?? ''));
  });

  it('stays while there is no reason for another', async () => {
    const { current, clock, room, write } = await aCurrent();
    await current.check();
    const first = current.get();
    clock.pass(10 * QUARTER_MS);
    await current.check();
    // An empty segment is never closed for its age.
    expect(current.get()).toBe(first);
    await current.begin();
    const second = current.get();
    await write(500);
    room.isShort = true;
    await current.check();
    expect(current.get()).toBe(second);
  });

  it('is closed at its size', async () => {
    const { current, write } = await aCurrent();
    await current.check();
    const first = current.get();
    await write(SEGMENT_BYTES - 500);
    await current.check();
    expect(current.get()).toBe(first);
    await write(500);
    await current.check();
    expect(current.get()).not.toBe(first);
  });

  it('is closed at its age where there is a record in it', async () => {
    const { current, clock, write } = await aCurrent();
    await current.check();
    const first = current.get();
    await write(10);
    clock.pass(QUARTER_MS - 1);
    await current.check();
    expect(current.get()).toBe(first);
    clock.pass(1);
    await current.check();
    expect(current.get()).not.toBe(first);
  });

  it('is closed at an eighth of its size while room is short, where Redis has all of it', async () => {
    const { current, room, write } = await aCurrent();
    room.isShort = true;
    await current.check();
    const first = current.get();
    await write(SEGMENT_BYTES / 8, 'failed');
    await current.check();
    expect(current.get()).toBe(first);
    const [range] = first?.pending() ?? [];
    const taken = { ...(range ?? { from: 0, to: 0, records: 0 }) };
    first?.take(taken);
    first?.settle(taken, 'enqueued');
    await current.check();
    expect(current.get()).not.toBe(first);
  });

  it('is closed as soon as a record has filled it, unless the process leaves', async () => {
    const { current, write } = await aCurrent();
    await current.check();
    const first = current.get();
    await write(SEGMENT_BYTES);
    if (first !== undefined) current.closeIfDue(first);
    await current.settled();
    const second = current.get();
    expect(second).not.toBe(first);
    await write(SEGMENT_BYTES);
    current.stop();
    if (second !== undefined) current.closeIfDue(second);
    await current.settled();
    expect(current.get()).toBe(second);
  });

  it('is in the way where there are records in it and Redis has all of them, while the process stays', async () => {
    const { current, write } = await aCurrent();
    expect(current.couldFreeRoom()).toBe(false);
    await current.check();
    expect(current.couldFreeRoom()).toBe(false);
    await write(10);
    expect(current.couldFreeRoom()).toBe(true);
    await write(10, 'failed');
    expect(current.couldFreeRoom()).toBe(false);
    await current.begin();
    await write(10);
    current.stop();
    expect(current.couldFreeRoom()).toBe(false);
  });

  it('is begun once by many that ask at a time', async () => {
    const { current, segments } = await aCurrent();
    await Promise.all(Array.from({ length: 5 }, () => current.begin()));
    expect(segments.all()).toHaveLength(1);
  });
});

describe('a fault', () => {
  it('is reported once for each reason; then the journal takes nothing until a check finds the disk well', async () => {
    const { dir, current, faults, ready } = await aCurrent();
    await writeFile(dir, 'in the way');
    await current.check();
    await current.check();
    expect([current.get(), current.hasFailed(), faults.length, ready()]).toEqual([undefined, true, 1, 0]);
    current.fail(new Error('another reason'));
    expect(faults).toEqual([expect.stringContaining(dir), 'another reason']);
    await rm(dir);
    await current.check();
    expect([current.hasFailed(), faults.length, ready()]).toEqual([false, 2, 1]);
    expect(current.get()).toBeDefined();
  });

  it('is a folder that was taken away: the next check makes another, and what was open is still listed', async () => {
    const { dir, current, segments, faults, write } = await aCurrent();
    await current.check();
    await write(10, 'failed');
    const first = current.get();
    await rename(dir, `${dir}-away`);
    await current.check();
    expect(faults).toEqual(['its folder was removed or replaced']);
    await current.check();
    expect(segments.all()).toEqual([first, current.get()]);
    expect(await readdir(dir)).toEqual([current.folder()?.owner]);
  });

  it('of a full disk makes the next segment begin with room: what Redis has gives way', async () => {
    const { current, segments, write } = await aCurrent();
    await current.check();
    await write(5000);
    const first = current.get();
    await current.begin();
    await write(5000, 'failed');
    const second = current.get();
    current.fail(new DiskFullError('full'));
    await current.check();
    expect(segments.all()).toEqual([second, current.get()]);
    expect(segments.all()).not.toContain(first);
  });

  it('after the stop is not reported any more', async () => {
    const { current, faults } = await aCurrent();
    await current.check();
    current.stop();
    current.fail('a text');
    expect([faults, current.get(), current.hasFailed()]).toEqual([[], undefined, true]);
  });

  it('of another folder in the place of its own is found', async () => {
    const { current, faults } = await aCurrent();
    await current.check();
    const path = current.folder()?.path ?? '';
    await rename(path, `${path}0`);
    await mkdir(path);
    await current.check();
    expect(faults).toHaveLength(1);
  });
});
