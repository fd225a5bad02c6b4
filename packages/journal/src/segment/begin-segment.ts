import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { syncFolder } from '@landline/held-folder/files';
import { createSegment } from './create-segment.ts';
import { encodeSegmentHeader, SEGMENT_HEADER_BYTES, segmentFileName } from './format.ts';
import { beginSegmentFile } from './segment-file.ts';
import type { Segment } from './segment.ts';

/**
 * Begins a segment in a process's folder. When it resolves, the file's name is on the disk.
 *
 * @param number  Distinguishes segments that begin in the same millisecond.
 * @throws        DiskFullError, the disk's error; then no file is left, or a file without a record
 */
export async function beginSegment(
  folder: string,
  owner: string,
  { at, number }: { at: number; number: number },
): Promise<Segment> {
  const seed = randomBytes(4).readUInt32LE();
  const file = await beginSegmentFile(join(folder, segmentFileName(owner, at, number)), encodeSegmentHeader(seed));
  try {
    await syncFolder(folder);
  } catch (error) {
    await file.remove().catch(() => undefined);
    throw error;
  }
  const facts = {
    seed,
    owners: [owner],
    firstAt: at,
    lastAt: at,
    bytes: SEGMENT_HEADER_BYTES,
    provenBytes: 0,
    records: 0,
  };
  return createSegment(file, facts);
}
