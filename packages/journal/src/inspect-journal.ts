import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ifMissing, namesIn, sizeOf } from './files.ts';
import { SEGMENT_FILE, SEGMENT_HEADER_BYTES } from './segment/format.ts';
import { openSegment } from './segment/open-segment.ts';
import { bytesIn, recordsIn } from './segment/ranges.ts';
import type { Found } from './segment/read-records.ts';
import { decodeRecord, timeOf, type JournalRecord } from './segment/record.ts';
import { otherFolders } from './takeover/owner.ts';

/** One file of a journal, as it lies on the disk. */
export interface JournalFile {
  path: string;
  /** Whether the process that writes to its folder lives. */
  isHeld: boolean;
  /** When it was begun and last written to, in unix ms. */
  firstAt: number;
  lastAt: number;
  bytes: number;
  /** What Redis did not have when this was last written down; of a living process up to a second ago. What cannot be read counts as one. */
  pendingRecords: number;
  pendingBytes: number;
}

/** A part of a file that is no record, in bytes from its beginning; `isTorn`: the end of a record is missing, as a process leaves it that dies while it writes. */
export interface JournalDamage {
  from: number;
  to: number;
  isTorn: boolean;
}

/** What reading a file from its beginning to its end found. */
export interface JournalFileCheck {
  path: string;
  records: number;
  events: number;
  damage: JournalDamage[];
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
  for await (const found of readWhole(path)) {
    if (found.kind === 'damage') check.damage.push({ from: found.from, to: found.to, isTorn: found.isTorn });
    else {
      check.records += 1;
      check.events += decodeRecord(found.record).events.length;
    }
  }
  return check;
}

/** The intact records of a file that were written at or after `sinceMs`, oldest first; `onDamage` is told of what is none. */
export async function* readJournalFile(
  path: string,
  sinceMs: number,
  onDamage?: (damage: JournalDamage) => void,
): AsyncGenerator<JournalRecord> {
  for await (const found of readWhole(path)) {
    if (found.kind === 'damage') onDamage?.({ from: found.from, to: found.to, isTorn: found.isTorn });
    else if (timeOf(found.record) >= sinceMs) yield decodeRecord(found.record);
  }
}

/** What stands in a file, from its beginning to its end; nothing of one that was removed meanwhile. */
async function* readWhole(path: string): AsyncGenerator<Found> {
  const segment = await openSegment(path).catch(ifMissing(undefined));
  if (segment === undefined) {
    const size = await sizeOf(path);
    // It does not begin as a segment does; shorter than a beginning, its process died before it wrote a record.
    if (size > 0) yield { kind: 'damage', from: 0, to: size, isTorn: size < SEGMENT_HEADER_BYTES };
    return;
  }
  try {
    const { bytes, provenBytes } = segment.facts;
    for await (const found of segment.read({ from: SEGMENT_HEADER_BYTES, to: bytes })) {
      // What was known to be on the disk was a record.
      yield found.kind === 'damage' ? { ...found, isTorn: found.isTorn && found.from >= provenBytes } : found;
    }
  } finally {
    await segment.close();
  }
}

/** A file that is removed meanwhile is passed over. */
async function listFolder(folder: string, isHeld: boolean): Promise<JournalFile[]> {
  const paths = (await namesIn(folder)).filter((name) => SEGMENT_FILE.test(name)).map((name) => join(folder, name));
  const files = await Promise.all(paths.map((path) => listFile(path, isHeld).catch(ifMissing(undefined))));
  return files.filter((file) => file !== undefined);
}

/** Looks at one file. @throws the disk's error, also where the file is gone */
export async function listFile(path: string, isHeld: boolean): Promise<JournalFile> {
  const segment = await openSegment(path);
  await segment?.close();
  const { size, mtimeMs } = await stat(path);
  const unreadable = size < SEGMENT_HEADER_BYTES ? [] : [{ from: 0, to: size, records: 1 }];
  const pending = segment?.pending() ?? unreadable;
  return {
    path,
    isHeld,
    firstAt: Number(SEGMENT_FILE.exec(basename(path))?.[1]),
    lastAt: Math.max(mtimeMs, Math.min(segment?.facts.lastAt ?? 0, Date.now())),
    bytes: size,
    pendingRecords: recordsIn(pending),
    pendingBytes: bytesIn(pending),
  };
}
