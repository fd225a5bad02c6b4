import { readFile, rename, writeFile } from 'node:fs/promises';
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

/** Writes the mark beside the segment, all or nothing; it is not fsynced, for an older one does no harm. */
export async function writeMark(segmentPath: string, mark: Mark): Promise<void> {
  await replaceFile(`${segmentPath}.mark`, JSON.stringify(mark));
}

/** Reads a segment's mark; undefined where there is none that makes sense. @throws what the disk says */
export async function readMark(segmentPath: string): Promise<Mark | undefined> {
  const value = await readJson(`${segmentPath}.mark`);
  const parsed = markSchema.safeParse(value);
  return parsed.success ? parsed.data : undefined;
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
  const text = await readFile(path, 'utf8').catch(ifMissing(''));
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
