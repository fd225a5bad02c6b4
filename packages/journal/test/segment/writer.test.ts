import { expect, it, onTestFinished, vi } from 'vitest';
import { makeTempFolder } from '../../../../test/support/temp-folder.ts';
import { createClock } from '../../src/clock.ts';
import { DiskFullError, JournalUnavailableError } from '../../src/errors.ts';
import { beginSegment } from '../../src/segment/begin-segment.ts';
import { beginRecord } from '../../src/segment/record.ts';
import { createSegment } from '../../src/segment/create-segment.ts';
import type { Segment } from '../../src/segment/segment.ts';
import type { SegmentFile } from '../../src/segment/segment-file.ts';
import { createWriter, type Writer } from '../../src/segment/writer.ts';
import { event } from '../support/a-journal.ts';
import { bodiesIn } from '../support/a-segment.ts';

const record = (body: string) => beginRecord([event(body)]);

let number = 0;

const never = () => Promise.reject(new Error('not in this test'));

async function aSegment(): Promise<Segment> {
  const segment = await beginSegment(await makeTempFolder(), '0123456789ab', { at: 1, number: number++ });
  onTestFinished(() => segment.close());
  return segment;
}

/** A segment on a disk that the test controls: each write waits until the test decides its outcome. */
function aSlowSegment(): { segment: Segment; writes: { records: number; end: (error?: Error) => void }[] } {
  const writes: { records: number; end: (error?: Error) => void }[] = [];
  const file: SegmentFile = {
    path: () => 'slow.log',
    isOpen: () => true,
    append: ({ length }) =>
      new Promise((resolve, reject) => {
        writes.push({ records: length, end: (error) => (error === undefined ? resolve() : reject(error)) });
      }),
    open: never,
    truncate: never,
    copyAside: never,
    isInPlace: never,
    moveTo: never,
    close: never,
    remove: never,
  };
  const facts = { seed: 1, owners: [], firstAt: 0, lastAt: 0, bytes: 12, provenBytes: 12, records: 0 };
  return { segment: createSegment(file, facts), writes };
}

function aWriter(timeoutMs = 5000): { writer: Writer; faults: Error[] } {
  const faults: Error[] = [];
  return { writer: createWriter({ timeoutMs, onFault: (fault) => faults.push(fault), clock: createClock() }), faults };
}

it('refuses records until it has a segment, and again when it has none any more', async () => {
  const { writer, faults } = aWriter();
  await expect(writer.write(record('x'))).rejects.toBeInstanceOf(JournalUnavailableError);
  writer.moveTo(await aSegment());
  await expect(writer.write(record('x'))).resolves.toBeDefined();
  writer.moveTo(undefined);
  await expect(writer.write(record('x'))).rejects.toThrow('no file to write to');
  expect(faults).toEqual([]);
});

it('resolves with the place of each record, in the order of the calls', async () => {
  const { writer } = aWriter();
  const segment = await aSegment();
  writer.moveTo(segment);
  const written = await Promise.all(['1', '22', '333'].map((body) => writer.write(record(body))));
  expect(written.every((each) => each.segment === segment)).toBe(true);
  const ranges = written.map(({ range }) => range);
  expect(ranges[0]?.from).toBe(12);
  expect([ranges[1]?.from, ranges[2]?.from, segment.facts.bytes]).toEqual(ranges.map(({ to }) => to));
  for (const { range } of written) segment.settle(range, 'failed');
  expect(await bodiesIn(segment)).toEqual(['1', '22', '333']);
});

it('lets records that come while the disk is busy share the next write, at most 512 of them', async () => {
  const { writer } = aWriter();
  const { segment, writes } = aSlowSegment();
  writer.moveTo(segment);
  const first = writer.write(record('first'));
  await vi.waitUntil(() => writes.length === 1, { timeout: 20_000 });
  const rest = Array.from({ length: 600 }, (_, i) => writer.write(record(`${i}`)));
  expect(writer.isBusy()).toBe(true);
  for (const index of [0, 1, 2]) {
    await vi.waitUntil(() => writes.length === index + 1, { timeout: 20_000 });
    writes[index]?.end();
  }
  await Promise.all([first, ...rest]);
  await writer.settled();
  expect([writes.map(({ records }) => records), writer.isBusy()]).toEqual([[1, 512, 88], false]);
});

it('goes on in another segment with the next write, while one is under way in the first', async () => {
  const { writer } = aWriter();
  const [slow, next] = [aSlowSegment(), await aSegment()];
  writer.moveTo(slow.segment);
  const first = writer.write(record('first'));
  await vi.waitUntil(() => slow.writes.length === 1, { timeout: 20_000 });
  writer.moveTo(next);
  const second = writer.write(record('second'));
  slow.writes[0]?.end();
  expect([(await first).segment, (await second).segment]).toEqual([slow.segment, next]);
});

it('a write that fails refuses its records and those that wait, reports the fault, and takes no more', async () => {
  const { writer, faults } = aWriter();
  const { segment, writes } = aSlowSegment();
  writer.moveTo(segment);
  const first = writer.write(record('first'));
  await vi.waitUntil(() => writes.length === 1, { timeout: 20_000 });
  const second = writer.write(record('second'));
  writes[0]?.end(new Error('EIO: made up'));
  const outcomes = await Promise.allSettled([
    first,
    second,
    writer.settled().then(() => writer.write(record('third'))),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  expect(outcomes[0]).toMatchObject({
    reason: { code: 'journal_unavailable', message: 'The journal failed: EIO: made up.', cause: faults[0] },
  });
  expect(faults.map(({ message }) => message)).toEqual(['EIO: made up']);
  expect([segment.facts.records, segment.isEnqueued()]).toEqual([0, true]);
});

it('a failure in a segment that it has left is no fault of the one in use, unless the disk is full', async () => {
  for (const [error, count] of [
    [new Error('EIO: made up'), 0],
    [new DiskFullError('full'), 1],
  ] as const) {
    const { writer, faults } = aWriter();
    const { segment, writes } = aSlowSegment();
    writer.moveTo(segment);
    const written = writer.write(record('first'));
    await vi.waitUntil(() => writes.length === 1, { timeout: 20_000 });
    writer.moveTo(await aSegment());
    writes[0]?.end(error);
    await expect(written).rejects.toThrow(error.message);
    expect(faults).toHaveLength(count);
  }
});

it('a write that the disk does not end in time is refused; where it ends later, its records are pending', async () => {
  const { writer, faults } = aWriter(20);
  const { segment, writes } = aSlowSegment();
  writer.moveTo(segment);
  await expect(writer.write(record('late'))).rejects.toThrow('did not take a write within 20 ms');
  expect([faults.length, writer.isBusy(), segment.isEnqueued()]).toEqual([1, true, false]);
  writes[0]?.end();
  await writer.settled();
  expect(segment.pending()).toMatchObject([{ from: 12, records: 1 }]);
  expect([faults.length, writer.isBusy()]).toEqual([1, false]);
});

it('a write that fails after it was given up is reported once', async () => {
  const { writer, faults } = aWriter(20);
  const { segment, writes } = aSlowSegment();
  writer.moveTo(segment);
  await expect(writer.write(record('late'))).rejects.toBeInstanceOf(JournalUnavailableError);
  writes[0]?.end(new Error('EIO: made up'));
  await writer.settled();
  expect([faults.length, segment.pending(), segment.isEnqueued()]).toEqual([1, [], true]);
});
