import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { packEvents } from '@landline/webhook/packed-events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { createClock } from '../../src/clock.ts';
import { createPendingTaker, type TakePending } from '../../src/pending/take-pending.ts';
import { beginSegment } from '../../src/segment/begin-segment.ts';
import { openSegment } from '../../src/segment/open-segment.ts';
import { beginRecord, sealRecord } from '../../src/segment/record.ts';
import type { Segment } from '../../src/segment/segment.ts';
import { aClock, type TestClock } from '../support/a-clock.ts';
import { event } from '../support/a-journal.ts';
import { append, AT } from '../support/a-segment.ts';

const ALL = { maxEvents: 1000, maxBytes: 1_000_000 };

interface Scene {
  take: TakePending;
  clock: TestClock;
  segments: Segment[];
  errors: string[];
  /** The segment that this process writes to. */
  current: { segment?: Segment };
  /** How often this process has made enqueued groups pending again. */
  redos: { count: number };
  /** Adds a segment with these records, all of them pending. */
  add: (...bodies: string[]) => Promise<Segment>;
}

async function aTaker(): Promise<Scene> {
  const folder = await makeTempFolder();
  const clock = aClock();
  const segments: Segment[] = [];
  const errors: string[] = [];
  const current: { segment?: Segment } = {};
  const redos = { count: 0 };
  const take = createPendingTaker({
    clock: createClock({ wall: clock.options.now, elapsed: clock.options.elapsed }),
    segments: () => segments,
    current: () => current.segment,
    redos: () => redos.count,
    onError: (error) => errors.push(error.message),
  });
  return {
    take,
    clock,
    segments,
    errors,
    current,
    redos,
    async add(...bodies) {
      const at = clock.options.now() + segments.length;
      const segment = await beginSegment(folder, '0123456789ab', { at, number: segments.length });
      onTestFinished(() => segment.close());
      for (const range of await append(segment, bodies, { at })) segment.settle(range, 'failed');
      segments.push(segment);
      return segment;
    },
  };
}

/** Takes groups until there is none, and returns the bodies of each. */
async function takeAll(take: TakePending, limit = ALL): Promise<string[][]> {
  const groups: string[][] = [];
  for (let group = await take(limit); group !== undefined; group = await take(limit)) {
    groups.push(group.events.map(({ body }) => body));
    group.enqueued();
  }
  return groups;
}

/** The segment as its file is read by another process, after its bytes were changed. */
async function changed({ segments }: Scene, change: (bytes: Buffer) => Buffer): Promise<Segment> {
  const [old] = segments;
  if (old === undefined) throw new Error('There is one.');
  await writeFile(old.path(), change(await readFile(old.path())));
  const segment = await openSegment(old.path());
  if (segment === undefined) throw new Error('It begins as a segment.');
  onTestFinished(() => segment.close());
  segments.splice(0, 1, segment);
  return segment;
}

describe('what is taken', () => {
  it('is nothing where nothing is pending', async () => {
    const { take, add } = await aTaker();
    expect(await take(ALL)).toBeUndefined();
    await add();
    expect(await take(ALL)).toBeUndefined();
  });

  it('is of one file, the oldest first', async () => {
    const { take, add } = await aTaker();
    await add('1', '2');
    await add('3');
    expect(await takeAll(take)).toEqual([['1', '2'], ['3']]);
  });

  it('has no more events and bytes than asked for, and whole records', async () => {
    const scene = await aTaker();
    const segment = await scene.add('1', '2', '3', '4', '5');
    expect(await takeAll(scene.take, { ...ALL, maxEvents: 2 })).toEqual([['1', '2'], ['3', '4'], ['5']]);
    segment.redoSince(0);
    const each = (segment.facts.bytes - 12) / 5;
    expect(await takeAll(scene.take, { ...ALL, maxBytes: 3 * each })).toEqual([
      ['1', '2', '3'],
      ['4', '5'],
    ]);
    segment.redoSince(0);
    expect(await takeAll(scene.take, { maxEvents: 1, maxBytes: 1 })).toEqual([['1'], ['2'], ['3'], ['4'], ['5']]);
  });

  it('has no more bytes than asked for before they were packed', async () => {
    const scene = await aTaker();
    const segment = await scene.add();
    const events = [event('one '.repeat(10_000))];
    const record = sealRecord(beginRecord(events, packEvents(events, 40_000)), AT, segment.facts.seed);
    expect(record.length).toBeLessThan(1000);
    const options = { at: AT, clock: createClock(), isLate: () => false };
    for (const range of await segment.append([record, record, record], options)) segment.settle(range, 'failed');
    const group = await scene.take({ ...ALL, maxBytes: 81_000 });
    expect(group).toMatchObject({ records: 2, events: [...events, ...events], bytes: 2 * beginRecord(events).length });
    group?.enqueued();
    expect(await takeAll(scene.take)).toEqual([['one '.repeat(10_000)]]);
  });

  it.each([
    ['packed bytes that are damaged', { bytes: 9, fieldBytes: 2, crc32: 1, packed: Buffer.from('no Brotli') }],
    ['a form of a later version', undefined],
  ])('is what stands around a record that cannot be decoded: %s', async (_, packed) => {
    const scene = await aTaker();
    const segment = await scene.add();
    const later = Buffer.from('{"v":9}');
    const bad = sealRecord(
      packed === undefined
        ? { rest: [], sizes: [], fields: later.toString(), fieldBytes: later.length, length: 24 + later.length }
        : beginRecord([], packed),
      AT,
      segment.facts.seed,
    );
    const good = (body: string) => sealRecord(beginRecord([event(body)]), AT, segment.facts.seed);
    const options = { at: AT, clock: createClock(), isLate: () => false };
    const records = [good('before'), bad, good('behind')];
    for (const range of await segment.append(records, options)) segment.settle(range, 'failed');
    expect(await takeAll(scene.take)).toEqual([['before'], ['behind']]);
    expect(scene.errors.map(String)).toEqual([
      expect.stringMatching(/This version cannot read a record of the journal: .* It stays there and is tried again/),
    ]);
    expect(segment.pending()).toMatchObject([{ records: 1, to: 12 + good('before').length + bad.length }]);
  });

  it('says how much it is, and is on its way until its holder says what became of it', async () => {
    const { take, add } = await aTaker();
    const segment = await add('1', '2');
    const group = await take(ALL);
    expect(group).toMatchObject({ records: 2, bytes: segment.facts.bytes - 12 });
    expect([segment.pending(), segment.isEnqueued(), await take(ALL)]).toEqual([[], false, undefined]);
    group?.failed();
    expect(await takeAll(take)).toEqual([['1', '2']]);
    expect(segment.isEnqueued()).toBe(true);
  });

  it('is known under the time when Redis took it, not under that of its records', async () => {
    const { take, add, clock } = await aTaker();
    const segment = await add('late');
    clock.pass(60_000);
    await takeAll(take);
    segment.redoSince(clock.options.now());
    expect(await takeAll(take)).toEqual([['late']]);
    clock.pass(1000);
    segment.redoSince(clock.options.now());
    expect(await takeAll(take)).toEqual([]);
  });
});

describe('a group that Redis did not take', () => {
  const ONE = { ...ALL, maxEvents: 1 };

  it('comes behind all others, as it was, when its pause is over', async () => {
    const { take, add, clock } = await aTaker();
    const segment = await add('1', '2', '3');
    const first = await take(ONE);
    first?.postpone();
    expect(segment.pending()).toMatchObject([{ records: 3 }]);
    expect(await takeAll(take, ONE)).toEqual([['2'], ['3']]);
    await add('4');
    clock.pass(1000);
    expect(await takeAll(take, { ...ALL, maxEvents: 2 })).toEqual([['4'], ['1']]);
    expect(segment.isEnqueued()).toBe(true);
  });

  it('rests for longer each time, five minutes at most', async () => {
    const { take, add, clock } = await aTaker();
    await add('1');
    for (const pauseMs of [1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000]) {
      (await take(ALL))?.postpone();
      clock.pass(pauseMs - 1);
      expect(await take(ALL)).toBeUndefined();
      clock.pass(1);
    }
    expect(await take(ALL)).toMatchObject({ failures: 11, records: 1 });
  });

  it('keeps its name, also for another process, until it is to be enqueued anew', async () => {
    const scene = await aTaker();
    const { take, add, clock, segments, redos } = scene;
    await add('1', '2');
    const first = await take(ONE);
    expect(first?.id).toMatch(/^[0-9]{15}-000000-0123456789ab-12-[0-9]+$/);
    first?.postpone();
    const second = await take(ONE);
    expect(second?.id).not.toBe(first?.id);
    clock.pass(1000);
    const again = await take(ALL);
    expect(again).toMatchObject({ id: first?.id, records: 1, failures: 1 });
    await changed(scene, (bytes) => bytes);
    expect((await take(ONE))?.id).toBe(first?.id);
    segments.forEach((segment) => segment.redoSince(0));
    redos.count = 1;
    expect((await take(ONE))?.id).toBe(`${first?.id}-redo1`);
  });

  it('is not taken from a file that is gone', async () => {
    const { take, add, clock, segments } = await aTaker();
    await add('1');
    (await take(ALL))?.postpone();
    segments.splice(0);
    clock.pass(1000);
    expect(await take(ALL)).toBeUndefined();
  });
});

describe('damage in a file', () => {
  it('does not hold back the records before it, and is passed over before those behind it', async () => {
    const scene = await aTaker();
    await scene.add('1', '2', '3');
    const segment = await changed(scene, (bytes) => {
      const second = bytes.indexOf('LLR1', bytes.indexOf('LLR1') + 1);
      bytes[second + 25] = (bytes[second + 25] ?? 0) ^ 1;
      return bytes;
    });
    expect((await scene.take(ALL))?.events.map(({ body }) => body)).toEqual(['1']);
    expect(scene.errors).toEqual([]);
    expect((await scene.take(ALL))?.events.map(({ body }) => body)).toEqual(['3']);
    expect(scene.errors).toEqual([expect.stringMatching(/^The journal is damaged: \d+ bytes .*\.damaged-\d+\./)]);
    expect(segment.pending()).toEqual([]);
  });

  it('at its end that is the beginning of a record is cut off without a word', async () => {
    const scene = await aTaker();
    await scene.add('1', '2');
    const segment = await changed(scene, (bytes) => bytes.subarray(0, -1));
    expect(await takeAll(scene.take)).toEqual([['1']]);
    expect([scene.errors, (await stat(segment.path())).size]).toEqual([[], segment.facts.bytes]);
  });

  it('at its end that was on the disk once is kept, though it could be the beginning of a record', async () => {
    const scene = await aTaker();
    await (await scene.add('1', '2')).writeMark();
    const segment = await changed(scene, (bytes) => bytes.subarray(0, -1));
    const { bytes } = segment.facts;
    expect(await takeAll(scene.take)).toEqual([['1']]);
    expect([scene.errors.length, (await stat(segment.path())).size]).toEqual([1, bytes]);
  });

  it('at the end of the file that this process writes to was no record that it was writing: it is kept', async () => {
    const scene = await aTaker();
    await scene.add('1', '2');
    scene.current.segment = await changed(scene, (bytes) => bytes.subarray(0, -1));
    expect(await takeAll(scene.take)).toEqual([['1']]);
    expect(scene.errors).toHaveLength(1);
  });

  it('that cannot be set aside stays in place, is reported, and is tried again in a minute', async () => {
    const scene = await aTaker();
    await scene.add('1');
    const segment = await changed(scene, (bytes) => Buffer.concat([bytes, Buffer.alloc(40)]));
    const end = segment.facts.bytes - 40;
    const inTheWay = `${segment.path()}.damaged-${end}`;
    await mkdir(inTheWay);
    expect(await takeAll(scene.take)).toEqual([['1']]);
    expect(scene.errors).toEqual([expect.stringContaining('tried again in a minute')]);
    expect(segment.pending()).toMatchObject([{ from: end, to: end + 40 }]);
    await rm(inTheWay, { recursive: true });
    expect(await takeAll(scene.take)).toEqual([]);
    expect(segment.pending()).toHaveLength(1);
    scene.clock.pass(60_000);
    expect(await takeAll(scene.take)).toEqual([]);
    expect(segment.pending()).toEqual([]);
    expect(await readdir(dirname(segment.path()))).toContain(`${basename(segment.path())}.damaged-${end}`);
  });
});

describe('a file that cannot be read', () => {
  it('holds back none of the others, is reported, and is read when a minute has passed', async () => {
    const { take, add, segments, errors, clock } = await aTaker();
    const [first, second] = [await add('1'), await add('2')];
    await first.close();
    const bytes = await readFile(first.path());
    await rm(first.path());
    expect(await takeAll(take)).toEqual([['2']]);
    expect(errors).toEqual([expect.stringContaining(first.path())]);
    await writeFile(first.path(), bytes);
    clock.pass(59_999);
    expect(await takeAll(take)).toEqual([]);
    clock.pass(1);
    expect(await takeAll(take)).toEqual([['1']]);
    expect(segments).toEqual([first, second]);
  });
});
