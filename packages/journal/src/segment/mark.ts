import { readFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { ifMissing, parseJson, removeFile, replaceFile } from '../files.ts';

const offset = z.number().int().nonnegative();
const range = z.object({ from: offset, to: offset, records: z.number().int().nonnegative() });

/**
 * What a process knew of a segment when it last wrote that down. A mark may be a second behind: then some records are enqueued twice. It
 * is never ahead.
 */
const markSchema = z.object({
  /** All records behind this are pending. */
  end: offset,
  records: z.number().int().nonnegative(),
  /** Redis lacks these parts. */
  pending: z.array(range),
  reenqueued: z.array(z.object({ from: offset, to: offset, at: z.number() })),
  /** See `SegmentFacts`. */
  proven: offset.optional(),
  owners: z.array(z.string()).optional(),
  /** When its last record before `end` was written, by its process's clock. */
  lastAt: z.number().optional(),
});

/** See `markSchema`. */
export type Mark = z.infer<typeof markSchema>;

/** The last field of a mark is the checksum of the text before it. Marks of versions that wrote none are taken as they are. */
const CHECKED = /^(.*),"crc":(\d+)\}$/s;

/** Writes the mark beside the segment, all or nothing. It is not fsynced, because an older mark does no harm. @throws the disk's error */
export async function writeMark(segmentPath: string, mark: Mark): Promise<void> {
  const fields = JSON.stringify(mark).slice(0, -1);
  await replaceFile(`${segmentPath}.mark`, `${fields},"crc":${crc32(fields)}}`);
}

/** Reads a segment's mark; undefined where there is none, or it is damaged. @throws the disk's error */
export async function readMark(segmentPath: string): Promise<Mark | undefined> {
  const text = await readFile(`${segmentPath}.mark`, 'utf8').catch(ifMissing(''));
  const [, fields = '', checksum] = CHECKED.exec(text) ?? [];
  // A damaged digit would pass for another number, and lose records.
  if (checksum !== undefined && crc32(fields) !== Number(checksum)) return undefined;
  return markSchema.safeParse(parseJson(text)).data;
}

/** Removes a segment's mark. @throws the disk's error */
export async function removeMark(segmentPath: string): Promise<void> {
  await removeFile(`${segmentPath}.mark`);
}
