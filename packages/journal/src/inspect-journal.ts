import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ifMissing, namesIn, sizeOf } from '@landline/held-folder/files';
import { SEGMENT_FILE, SEGMENT_HEADER_BYTES } from './segment/format.ts';
import { openSegment } from './segment/open-segment.ts';
import { bytesIn, recordsIn } from './segment/ranges.ts';
import type { Found } from './segment/read-records.ts';
import { decodeRecord, timeOf, type JournalRecord } from './segment/record.ts';
import { otherFolders } from '@landline/held-folder';

/** A file of a journal on the disk. */
export interface JournalFile {
  path: string;
  /** Whether the process that owns the file's folder is alive. */
  isHeld: boolean;
  /** When the file was begun and last written to, in unix ms. */
  firstAt: number;
  lastAt: number;
  bytes: number;
  /**
   * The records that Redis lacked at the last mark; of a living process a mark is up to a second old. An unreadable
   * file counts as one.
   */
  pendingRecords: number;
  pendingBytes: number;
}

/**
 * A part of a file that is no record, in bytes from the file's beginning. `isTorn`: the part is a record without its
 * end, as a process leaves it that dies while writing. `fault`: the part is an intact record that this version cannot decode, and why.
 */
export interface JournalDamage {
  from: number;
  to: number;
  isTorn: boolean;
  fault?: string;
}

/** The result of reading a whole file. */
export interface JournalFileCheck {
  path: string;
  records: number;
  events: number;
  damage: JournalDamage[];
}

/** Lists the files in a journal's folder, oldest first. Changes nothing. */
export async function listJournal(dir: string): Promise<JournalFile[]> {
  const folders = await otherFolders(dir);
  const lists = await Promise.all(folders.map(async ({ path, isHeld }) => listFolder(path, isHeld)));
  return lists.flat().sort((a, b) => a.firstAt - b.firstAt);
}

/** Reads a file and checks every record in it. Returns the counts and the damaged parts. */
export async function verifyJournalFile(path: string): Promise<JournalFileCheck> {
  const check: JournalFileCheck = { path, records: 0, events: 0, damage: [] };
  for await (const found of readWhole(path)) {
    const record = decoded(found);
    if ('events' in record) {
      check.records += 1;
      check.events += record.events.length;
    } else check.damage.push(record);
  }
  return check;
}

/**
 * Yields the intact records of a file that were written at or after `sinceMs`, oldest first. `onDamage` gets each
 * damaged part.
 */
export async function* readJournalFile(
  path: string,
  sinceMs: number,
  onDamage?: (damage: JournalDamage) => void,
): AsyncGenerator<JournalRecord> {
  for await (const found of readWhole(path)) {
    if (found.kind === 'record' && timeOf(found.record) < sinceMs) continue;
    const record = decoded(found);
    if ('events' in record) yield record;
    else onDamage?.(record);
  }
}

function decoded(found: Found): JournalRecord | JournalDamage {
  const { from, to } = found;
  if (found.kind === 'damage') return { from, to, isTorn: found.isTorn };
  try {
    return decodeRecord(found.record);
  } catch (error) {
    return { from, to, isTorn: false, fault: error instanceof Error ? error.message : String(error) };
  }
}

/** Yields the records and damaged parts of a file, in order; nothing where the file was removed meanwhile. */
async function* readWhole(path: string): AsyncGenerator<Found> {
  const segment = await openSegment(path).catch(ifMissing(undefined));
  if (segment === undefined) {
    const size = await sizeOf(path);
    // The file has no segment header. Where it is shorter than a header, its process died before it wrote a record.
    if (size > 0) yield { kind: 'damage', from: 0, to: size, isTorn: size < SEGMENT_HEADER_BYTES };
    return;
  }
  try {
    const { bytes, provenBytes } = segment.facts;
    for await (const found of segment.read({ from: SEGMENT_HEADER_BYTES, to: bytes })) {
      // Bytes before `provenBytes` were intact records once, so they are damaged, not torn.
      yield found.kind === 'damage' ? { ...found, isTorn: found.isTorn && found.from >= provenBytes } : found;
    }
  } finally {
    await segment.close();
  }
}

/** Lists a folder's files, without files that are removed meanwhile. */
async function listFolder(folder: string, isHeld: boolean): Promise<JournalFile[]> {
  const paths = (await namesIn(folder)).filter((name) => SEGMENT_FILE.test(name)).map((name) => join(folder, name));
  const files = await Promise.all(paths.map((path) => listFile(path, isHeld).catch(ifMissing(undefined))));
  return files.filter((file) => file !== undefined);
}

/** Reads the facts of one file. @throws the disk's error, also where the file is gone */
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
