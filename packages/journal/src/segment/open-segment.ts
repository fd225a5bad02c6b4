import type { FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { createSegment } from './create-segment.ts';
import { SEGMENT_FILE, SEGMENT_HEADER_BYTES, seedIn } from './format.ts';
import { readMark, type Mark } from './mark.ts';
import { addRange, type Range } from './ranges.ts';
import { segmentFileOf, type SegmentFile } from './segment-file.ts';
import type { Segment } from './segment.ts';

/**
 * Opens the segment of another process, or of another time. What its mark does not speak of is pending.
 *
 * @returns  Undefined where the file does not begin as a segment does.
 * @throws   the disk's error, also where the file is gone
 */
export async function openSegment(path: string): Promise<Segment | undefined> {
  const file = segmentFileOf(path);
  try {
    const segment = await readSegment(file, await file.open());
    if (segment === undefined) await file.close();
    return segment;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readSegment(file: SegmentFile, handle: FileHandle): Promise<Segment | undefined> {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  const { bytesRead } = await handle.read(header, 0, SEGMENT_HEADER_BYTES, 0);
  const seed = seedIn(header.subarray(0, bytesRead));
  if (seed === undefined) return undefined;
  const [, begunAt = '0', beginner = ''] = SEGMENT_FILE.exec(basename(file.path())) ?? [];
  const firstAt = Number(begunAt);
  const { size, mtimeMs } = await handle.stat();
  const mark = await readMark(file.path());
  const facts = {
    seed,
    owners: mark?.owners ?? [beginner],
    firstAt,
    lastAt: mark?.lastAt ?? lastWritten(firstAt, Math.ceil(mtimeMs)),
    bytes: size,
    provenBytes: mark?.proven ?? mark?.end ?? 0,
    records: mark?.records ?? 0,
  };
  return createSegment(file, facts, { pending: pendingOf(mark, size), reenqueued: mark?.reenqueued ?? [] });
}

/** What is pending in a file of `size` bytes: it may have lost its end since its mark was written, or grown. */
function pendingOf(mark: Mark | undefined, size: number): Range[] {
  const known = Math.min(size, mark?.end ?? SEGMENT_HEADER_BYTES);
  const pending = (mark?.pending ?? [])
    .map((range) => ({ ...range, to: Math.min(range.to, known) }))
    .filter(({ from, to }) => from < to);
  if (known < size) addRange(pending, { from: known, to: size, records: 1 });
  return pending;
}

/**
 * When a segment was last written to whose mark does not say. A file that is older than its name was written after the clock was set
 * back: then nobody knows, and the latest time makes everything in it count as new.
 */
function lastWritten(firstAt: number, modifiedAt: number): number {
  return modifiedAt < firstAt ? Number.MAX_SAFE_INTEGER : modifiedAt;
}
