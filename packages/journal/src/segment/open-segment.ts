import type { FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { createSegment } from './create-segment.ts';
import { SEGMENT_FILE, SEGMENT_HEADER_BYTES, seedIn } from './format.ts';
import { readMark, type Mark } from './mark.ts';
import { addRange, type Range } from './ranges.ts';
import { segmentFileOf, type SegmentFile } from './segment-file.ts';
import type { Segment } from './segment.ts';

/**
 * Opens a segment that another process began, or that was closed. Every part that the mark does not cover is pending.
 *
 * @returns  Undefined where the file has no segment header.
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

/**
 * Returns the pending parts of a file of `size` bytes. Since the mark was written, the file may have grown or lost its
 * end.
 */
function pendingOf(mark: Mark | undefined, size: number): Range[] {
  const known = Math.min(size, mark?.end ?? SEGMENT_HEADER_BYTES);
  const pending = (mark?.pending ?? [])
    .map((range) => ({ ...range, to: Math.min(range.to, known) }))
    .filter(({ from, to }) => from < to);
  if (known < size) addRange(pending, { from: known, to: size, records: 1 });
  return pending;
}

/**
 * Returns the last write of a segment whose mark has no time. A file that is older than its name was written after the
 * clock was set back. Then the time is unknown, and the greatest time makes everything in the file count as new.
 */
function lastWritten(firstAt: number, modifiedAt: number): number {
  return modifiedAt < firstAt ? Number.MAX_SAFE_INTEGER : modifiedAt;
}
