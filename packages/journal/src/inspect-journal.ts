import { readdir, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { otherFolders } from './owner.ts';
import { bytesIn, recordsIn } from './ranges.ts';
import { readRecords } from './read-records.ts';
import { decodeRecord, timeOf, type JournalRecord } from './record.ts';
import { openSegment, SEGMENT_FILE, SEGMENT_HEADER_BYTES, type Segment } from './segment.ts';

/** One file of a journal, as it lies on the disk. */
export interface JournalFile {
  path: string;
  /** Whether the process that writes to its folder lives. */
  isHeld: boolean;
  /** When it was begun and last written to, in unix ms. */
  firstAt: number;
  lastAt: number;
  bytes: number;
  /** What Redis did not have when this was last written down; of a living process up to a second ago. */
  pendingRecords: number;
  pendingBytes: number;
}

/** What reading a file from its beginning to its end found. */
export interface JournalFileCheck {
  path: string;
  records: number;
  events: number;
  /** Parts that are no record, in bytes from the beginning; `isTail`: at the end, as a process leaves it that dies while it writes. */
  damage: { from: number; to: number; isTail: boolean }[];
}

/** The files in a journal's folder, oldest first; nothing is changed. */
export async function listJournal(dir: string): Promise<JournalFile[]> {
  const folders = await otherFolders(dir);
  const lists = await Promise.all(folders.map(async ({ path, isHeld }) => listFolder(path, isHeld)));
  return lists.flat().sort((a, b) => a.firstAt - b.firstAt);
}

/** Reads a file and checks every record in it. */
export async function verifyJournalFile(path: string): Promise<JournalFileCheck> {
  const check: JournalFileCheck = { path, records: 0, events: 0, damage: [] };
  await withSegment(path, async (segment, handle) => {
    for await (const found of readRecords(handle, wholeOf(segment))) {
      if (found.kind === 'damage') check.damage.push({ from: found.from, to: found.to, isTail: found.isTail });
      else {
        check.records += 1;
        check.events += decodeRecord(found.record).events.length;
      }
    }
  });
  return check;
}

/** The intact records of a file that were written at or after `sinceMs`, oldest first. */
export async function* readJournalFile(path: string, sinceMs: number): AsyncGenerator<JournalRecord> {
  const segment = await openSegment(path);
  if (segment?.handle === undefined) return;
  try {
    for await (const found of readRecords(segment.handle, wholeOf(segment))) {
      if (found.kind === 'record' && timeOf(found.record) >= sinceMs) yield decodeRecord(found.record);
    }
  } finally {
    await segment.handle.close();
  }
}

async function listFolder(folder: string, isHeld: boolean): Promise<JournalFile[]> {
  const names = await readdir(folder).catch(() => []);
  const files: JournalFile[] = [];
  for (const name of names.filter((each) => SEGMENT_FILE.test(each))) {
    const path = join(folder, name);
    // oxlint-disable-next-line no-await-in-loop -- a file each, in order
    await withSegment(path, async ({ firstAt, bytes, pending }) => {
      const { mtimeMs } = await stat(path);
      files.push({
        path,
        isHeld,
        firstAt,
        lastAt: mtimeMs,
        bytes,
        pendingRecords: recordsIn(pending),
        pendingBytes: bytesIn(pending),
      });
    });
  }
  return files;
}

/** A file that was removed meanwhile, or is none of ours, is passed over. */
async function withSegment(path: string, work: (segment: Segment, handle: FileHandle) => Promise<void>): Promise<void> {
  const segment = await openSegment(path).catch(() => undefined);
  if (segment?.handle === undefined) return;
  try {
    await work(segment, segment.handle);
  } finally {
    await segment.handle.close();
  }
}

function wholeOf({ bytes, seed }: Segment): { from: number; to: number; seed: number } {
  return { from: SEGMENT_HEADER_BYTES, to: bytes, seed };
}
