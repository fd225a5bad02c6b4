import { readFile, rename, writeFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { ifMissing, removeFile } from './files.ts';

const offset = z.number().int().nonnegative();
const range = z.object({ from: offset, to: offset, records: z.number().int().nonnegative() });

/**
 * What was known of a segment when its process last had a moment to write it down. It may be a second behind: then records
 * are enqueued once more than needed. It is never ahead.
 */
const markSchema = z.object({
  /** What lies behind is pending. */
  end: offset,
  records: z.number().int().nonnegative(),
  /** What Redis does not have. */
  pending: z.array(range),
  reenqueued: z.array(z.object({ from: offset, to: offset, at: z.number() })),
  /** See `Segment`: up to where its own process wrote, and who had it. */
  proven: offset.optional(),
  owners: z.array(z.string()).optional(),
  /** When its last record before `end` was written, by its process's clock. */
  lastAt: z.number().optional(),
});

/** See `markSchema`. */
export type Mark = z.infer<typeof markSchema>;

/** The last field of a mark is the checksum of the text before it. Marks of versions that wrote none are taken as they are. */
const CHECKED = /^(.*),"crc":(\d+)\}$/s;

/** Writes the mark beside the segment, all or nothing. It is not fsynced, because an older mark does no harm. */
export async function writeMark(segmentPath: string, mark: Mark): Promise<void> {
  const fields = JSON.stringify(mark).slice(0, -1);
  await replaceFile(`${segmentPath}.mark`, `${fields},"crc":${crc32(fields)}}`);
}

/** Reads a segment's mark; undefined where there is none, or it is damaged. @throws what the disk says */
export async function readMark(segmentPath: string): Promise<Mark | undefined> {
  const text = await readFile(`${segmentPath}.mark`, 'utf8').catch(ifMissing(''));
  const [, fields = '', checksum] = CHECKED.exec(text) ?? [];
  // A digit that is another one would pass for a mark, and lose records.
  if (checksum !== undefined && crc32(fields) !== Number(checksum)) return undefined;
  return markSchema.safeParse(parseJson(text)).data;
}

/** Removes a segment's mark. @throws what the disk says */
export async function removeMark(segmentPath: string): Promise<void> {
  await removeFile(`${segmentPath}.mark`);
}

/** Replaces a small file whole: a reader sees the old text or the new one. */
export async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** The JSON value in a file; undefined where there is no such file, or no JSON in it. @throws what the disk says */
export async function readJson(path: string): Promise<unknown> {
  return parseJson(await readFile(path, 'utf8').catch(ifMissing('')));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
