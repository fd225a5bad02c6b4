import { readFile, rename, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { beginSegment } from '../../src/segment/begin-segment.ts';
import type { Range } from '../../src/segment/ranges.ts';
import type { Segment } from '../../src/segment/segment.ts';
import { append, AT, begun, bodiesIn, OWNER, reopened } from '../support/a-segment.ts';

const HEADER_BYTES = 12;

describe('a segment that was just begun', () => {
  it('has its header on the disk, and no record', async () => {
    const segment = await begun();
    expect(segment.facts).toMatchObject({ owners: [OWNER], firstAt: AT, lastAt: AT, bytes: HEADER_BYTES, records: 0 });
    expect([segment.isEmpty(), segment.isEnqueued(), segment.isOpen(), segment.pending()]).toEqual([
      true,
      true,
      true,
      [],
    ]);
    const bytes = await readFile(segment.path());
    expect([bytes.length, bytes.toString('latin1', 0, 4), bytes.readUInt32LE(4)]).toEqual([12, 'LLJ1', 1]);
    expect(bytes.readUInt32LE(8)).toBe(segment.facts.seed);
    expect((await stat(segment.path())).mode & 0o777).toBe(0o600);
  });

  it('is named by its time, its number and its process, so that names sort by age', async () => {
    const folder = await makeTempFolder();
    const numbers = [0, 1, 1_000_001];
    const paths = [];
    for (const number of numbers) {
      const segment = await beginSegment(folder, OWNER, { at: AT + number, number });
      paths.push(basename(segment.path()));
      await segment.close();
    }
    expect(paths).toEqual([
      `001767225600000-000000-${OWNER}.log`,
      `001767225600001-000001-${OWNER}.log`,
      `001767226600001-000001-${OWNER}.log`,
    ]);
    expect([...paths].sort()).toEqual(paths);
  });

  it('never takes the place of another', async () => {
    const segment = await begun();
    await expect(begun(dirname(segment.path()))).rejects.toMatchObject({ code: 'EEXIST' });
    expect((await stat(segment.path())).size).toBe(HEADER_BYTES);
  });

  it('has a seed unlike that of any other', async () => {
    const seeds = await Promise.all(Array.from({ length: 20 }, async () => (await begun()).facts.seed));
    expect(new Set(seeds).size).toBe(20);
  });
});

describe('a record of a segment', () => {
  it('is held when it is on the disk, and counted', async () => {
    const segment = await begun();
    const [range] = await append(segment, ['first'], { at: AT + 5 });
    const { size } = await stat(segment.path());
    expect(range).toEqual({ from: HEADER_BYTES, to: size, records: 1 });
    expect(segment.facts).toMatchObject({ bytes: size, provenBytes: size, records: 1, lastAt: AT + 5 });
    expect([segment.isEmpty(), segment.isEnqueued(), segment.pending()]).toEqual([false, false, []]);
  });

  it('keeps its segment from counting as enqueued while it is being written', async () => {
    const segment = await begun();
    const writing = append(segment, ['first']);
    expect([segment.isEnqueued(), segment.isEmpty()]).toEqual([false, false]);
    await writing;
  });

  it('is pending at once where its caller has given up', async () => {
    const segment = await begun();
    const [range] = await append(segment, ['late'], { isLate: true });
    expect(segment.pending()).toEqual([range]);
  });

  it('is enqueued or pending as its holder says, and the first word counts', async () => {
    const segment = await begun();
    const [first, second] = await append(segment, ['first', 'second']);
    if (first === undefined || second === undefined) throw new Error('There are two.');
    segment.settle(first, 'enqueued');
    segment.settle(second, 'failed');
    expect(segment.pending()).toEqual([second]);
    segment.settle(first, 'failed');
    segment.settle(second, 'enqueued');
    expect(segment.pending()).toEqual([second]);
    segment.take(second);
    expect([segment.pending(), segment.isEnqueued()]).toEqual([[], false]);
    segment.settle(second, 'enqueued', AT);
    expect([segment.pending(), segment.isEnqueued(), segment.isEmpty()]).toEqual([[], true, false]);
  });

  it('that was never settled is pending when its process leaves', async () => {
    const segment = await begun();
    const ranges = await append(segment, ['first', 'second', 'third']);
    if (ranges[1] !== undefined) segment.settle(ranges[1], 'enqueued');
    segment.giveUpHeld();
    expect(segment.pending().map(({ from, to }) => [from, to])).toEqual([
      [ranges[0]?.from, ranges[0]?.to],
      [ranges[2]?.from, ranges[2]?.to],
    ]);
    expect(await bodiesIn(segment)).toEqual(['first', 'third']);
  });

  it('that the disk refuses is not there', async () => {
    const segment = await begun();
    await append(segment, ['first']);
    const before = segment.facts.bytes;
    await segment.close();
    await expect(append(segment, ['second'])).rejects.toThrow('its file is closed');
    expect([segment.facts.bytes, segment.facts.records, segment.isEnqueued()]).toEqual([before, 1, false]);
    expect((await stat(segment.path())).size).toBe(before);
  });
});

describe('what a segment writes down', () => {
  it('is what the next process knows', async () => {
    const segment = await begun();
    const [first, second, third] = await append(segment, ['first', 'second', 'third'], { at: AT + 7 });
    if (first === undefined || second === undefined || third === undefined) throw new Error('There are three.');
    segment.settle(first, 'enqueued');
    segment.settle(second, 'failed');
    expect(segment.isMarkStale()).toBe(true);
    await segment.writeMark();
    expect(segment.isMarkStale()).toBe(false);
    const next = await reopened(segment);
    expect(next.facts).toEqual({ ...segment.facts });
    // The third is being enqueued: Redis may or may not get it.
    expect(await bodiesIn(next)).toEqual(['second', 'third']);
    expect([next.isEnqueued(), next.isEmpty()]).toEqual([false, false]);
  });

  it('does not speak of what came since: that is pending', async () => {
    const segment = await begun();
    const [first] = await append(segment, ['first']);
    if (first !== undefined) segment.settle(first, 'enqueued');
    await segment.writeMark();
    const [second] = await append(segment, ['second']);
    if (second !== undefined) segment.settle(second, 'enqueued');
    expect(segment.isMarkStale()).toBe(true);
    expect(await bodiesIn(await reopened(segment))).toEqual(['second']);
  });

  it('is stale again where the disk does not take it', async () => {
    const segment = await begun();
    const folder = dirname(segment.path());
    await append(segment, ['first']);
    await rename(folder, `${folder}-away`);
    await expect(segment.writeMark()).rejects.toMatchObject({ code: 'ENOENT' });
    expect(segment.isMarkStale()).toBe(true);
    await rename(`${folder}-away`, folder);
    await segment.writeMark();
    expect(segment.isMarkStale()).toBe(false);
  });

  it.each<[string, (segment: Segment, range: Range) => void]>([
    ['a record has arrived', (segment, range) => segment.settle(range, 'enqueued')],
    ['a record has failed', (segment, range) => segment.settle(range, 'failed')],
    ['Redis has lost something', (segment) => segment.redoSince(Infinity)],
    ['its process leaves', (segment) => segment.giveUpHeld()],
    ['damage was passed over', (segment) => segment.skip({ from: 12, to: 13 })],
  ])('is stale when %s', async (_name, change) => {
    const segment = await begun();
    const [range] = await append(segment, ['first']);
    await segment.writeMark();
    change(segment, range ?? { from: 0, to: 0, records: 0 });
    expect(segment.isMarkStale()).toBe(true);
  });

  it('stays as it is when a record is settled a second time', async () => {
    const segment = await begun();
    const [range = { from: 0, to: 0, records: 0 }] = await append(segment, ['first']);
    segment.settle(range, 'enqueued');
    await segment.writeMark();
    segment.settle(range, 'failed');
    expect(segment.isMarkStale()).toBe(false);
  });
});

/** A segment with a record each second, all of them enqueued when they were written. */
async function enqueued(seconds: number): Promise<Segment> {
  const segment = await begun();
  for (let i = 0; i < seconds; i++) {
    const [range] = await append(segment, [`${i}`], { at: AT + i * 1000 });
    if (range !== undefined) segment.settle(range, 'enqueued');
  }
  return segment;
}

describe('a loss of Redis makes pending again', () => {
  it.each([
    [0, ['0', '1', '2', '3']],
    [AT, ['0', '1', '2', '3']],
    [AT + 1000, ['1', '2', '3']],
    // The last known place before it.
    [AT + 1999, ['1', '2', '3']],
    [AT + 3000, ['3']],
    [AT + 3001, []],
    [Infinity, []],
  ])('what was written at or after %d', async (since, bodies) => {
    const segment = await enqueued(4);
    segment.redoSince(since);
    expect(await bodiesIn(segment)).toEqual(bodies);
    expect(segment.pending().reduce((sum, { records }) => sum + records, 0)).toBe(bodies.length);
  });

  it('all of a file that another process wrote, where its end is young enough', async () => {
    const segment = await enqueued(4);
    await segment.writeMark();
    const next = await reopened(segment);
    next.redoSince(AT + 3000);
    expect(await bodiesIn(next)).toEqual(['0', '1', '2', '3']);
    const last = await reopened(segment);
    last.redoSince(AT + 3001);
    expect(last.pending()).toEqual([]);
  });

  it('what catch-up enqueued since, also where another process reads the file', async () => {
    const segment = await begun();
    const ranges = await append(segment, ['early', 'late', 'later']);
    for (const [i, range] of ranges.entries()) {
      segment.settle(range, 'failed');
      segment.take(range);
      segment.settle(range, 'enqueued', AT + 1000 + i * 4000);
    }
    await segment.writeMark();
    for (const each of [segment, await reopened(segment)]) {
      each.redoSince(AT + 5000);
      expect(await bodiesIn(each)).toEqual(['late', 'later']);
    }
  });
});
