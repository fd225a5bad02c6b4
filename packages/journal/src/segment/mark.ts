import { readFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { ifMissing, parseJson, removeFile, replaceFile } from '@landline/held-folder/files';

const offset = z.number().int().nonnegative();
const range = z.object({ from: offset, to: offset, records: z.number().int().nonnegative() });

/**
 * A process's knowledge of a segment when it last wrote the mark. A mark may be a second old, so some records are
 * enqueued twice. A mark never claims more than Redis has.
 */
const markSchema = z.object({
  /** All records after this offset are pending. */
  end: offset,
  records: z.number().int().nonnegative(),
  /** The parts that Redis lacks. */
  pending: z.array(range),
  reenqueued: z.array(z.object({ from: offset, to: offset, at: z.number() })),
  /** See `SegmentFacts`. */
  proven: offset.optional(),
  owners: z.array(z.string()).optional(),
  /** The time of the last record before `end`, by its process's clock. */
  lastAt: z.number().optional(),
});

/** See `markSchema`. */
export type Mark = z.infer<typeof markSchema>;

/**
 * The last field of a mark: the checksum of the text before it. Marks of older versions have no checksum and are
 * accepted without one.
 */
const CHECKED = /^(.*),"crc":(\d+)\}$/s;

/**
 * Writes the mark beside the segment in one step. Does not fsync it, because an older mark does no harm. @throws the
 * disk's error
 */
export async function writeMark(segmentPath: string, mark: Mark): Promise<void> {
  const fields = JSON.stringify(mark).slice(0, -1);
  await replaceFile(`${segmentPath}.mark`, `${fields},"crc":${crc32(fields)}}`);
}

/** Reads a segment's mark; undefined where it is missing or damaged. @throws the disk's error */
export async function readMark(segmentPath: string): Promise<Mark | undefined> {
  const text = await readFile(`${segmentPath}.mark`, 'utf8').catch(ifMissing(''));
  const [, fields = '', checksum] = CHECKED.exec(text) ?? [];
  // Without the checksum a damaged digit would be another number, and records would be lost.
  if (checksum !== undefined && crc32(fields) !== Number(checksum)) return undefined;
  return markSchema.safeParse(parseJson(text)).data;
}

/** Removes a segment's mark. @throws the disk's error */
export async function removeMark(segmentPath: string): Promise<void> {
  await removeFile(`${segmentPath}.mark`);
}
