import { randomBytes } from 'node:crypto';
import { constants, open, rename, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DiskFullError } from './errors.ts';
import { ifMissing, isMissing, removeFile } from './files.ts';
import { readMark, removeMark } from './mark.ts';
import { addRange, type Range } from './ranges.ts';

/** A segment's file begins with `LLJ1`, the format's version and the segment's own number; little-endian. */
export const SEGMENT_HEADER_BYTES = 12;
const MAGIC = Buffer.from('LLJ1', 'latin1');
const VERSION = 1;

/** How the files of segments are called: when begun in unix milliseconds, a number, and the process. They sort by age. */
export const SEGMENT_FILE = /^(\d{15})-\d{6}-([0-9a-f]+)\.log$/;

/** Names what was set aside of a segment: this and where it stood. */
const DAMAGED = '.damaged-';

/** How far apart the known places of a segment are, in milliseconds of their records' time. */
const INDEX_STEP_MS = 1000;

/** A part of a segment that was enqueued later than it was written. */
export interface Reenqueued {
  from: number;
  to: number;
  /** When, in unix milliseconds. */
  at: number;
}

/** One append-only file, and what is known of the records in it. */
export interface Segment {
  path: string;
  /** See `sealRecord`. */
  seed: number;
  /** Who has enqueued parts of it: the process that began it, then those that took it over. */
  owners: string[];
  /** Of its first and its last record, in unix milliseconds. */
  firstAt: number;
  lastAt: number;
  /** When it was begun, and last written to, in ms by `elapsed` of this process's clock; what came before it was taken over counts back from there. */
  begunAt: number;
  quietSince: number;
  /** Up to here it is on the disk. */
  bytes: number;
  /** Up to here it is known to have been on the disk when its process lived: what is no record there was one. */
  provenBytes: number;
  /** Whether something is being written to it. */
  isWriting: boolean;
  records: number;
  /** What Redis does not have, and nobody is enqueuing. */
  pending: Range[];
  /** What is on its way to Redis. */
  held: Set<Range>;
  reenqueued: Reenqueued[];
  /** Places in it by time: from `from` on no record is older than `at`; `records` stand before. */
  index: { at: number; from: number; records: number }[];
  handle: FileHandle | undefined;
  /** Whether its mark is older than what is known. */
  isMarkStale: boolean;
}

/**
 * On Linux each write to a segment is on the disk when it returns: one call to the system, and one thread woken, for what is two
 * with fdatasync. Elsewhere O_DSYNC may leave it in the drive's own cache.
 */
const WRITES_ARE_SYNCED = process.platform === 'linux';

const { O_RDWR, O_APPEND, O_CREAT, O_EXCL, O_DSYNC } = constants;
const BEGIN_FLAGS = O_RDWR | O_APPEND | O_CREAT | O_EXCL | (WRITES_ARE_SYNCED ? O_DSYNC : 0);

/** Resolves when what was written to a segment that this process began is on the disk. */
export async function syncData(handle: FileHandle): Promise<void> {
  if (!WRITES_ARE_SYNCED) await handle.datasync();
}

/**
 * Begins a segment. Its name is on the disk before anything is written to it.
 *
 * @param number  Tells segments of one millisecond apart.
 */
export async function beginSegment(folder: string, owner: string, at: number, number: number): Promise<Segment> {
  const name = `${String(at).padStart(15, '0')}-${String(number % 1_000_000).padStart(6, '0')}-${owner}.log`;
  const path = join(folder, name);
  const handle = await open(path, BEGIN_FLAGS, 0o600);
  try {
    const seed = randomBytes(4).readUInt32LE();
    const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
    MAGIC.copy(header);
    header.writeUInt32LE(VERSION, 4);
    header.writeUInt32LE(seed, 8);
    const { bytesWritten } = await handle.write(header);
    if (bytesWritten < SEGMENT_HEADER_BYTES) throw new DiskFullError('the disk is full');
    await syncData(handle);
    await syncFolder(folder);
    return { ...emptySegment(path, seed, at), owners: [owner], handle };
  } catch (error) {
    // The first error is the one to tell. What stays of the file has no record in it.
    await handle.close().catch(() => undefined);
    await removeFile(path).catch(() => undefined);
    throw error;
  }
}

/**
 * Opens the segment of another process, or of another time. What its mark does not speak of is pending.
 *
 * @returns  Undefined where the file does not begin as a segment does.
 */
export async function openSegment(path: string): Promise<Segment | undefined> {
  const handle = await openToRead(path);
  try {
    const segment = await readSegment(path, handle);
    if (segment === undefined) await handle.close();
    return segment;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readSegment(path: string, handle: FileHandle): Promise<Segment | undefined> {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  const { bytesRead } = await handle.read(header, 0, SEGMENT_HEADER_BYTES, 0);
  if (bytesRead < SEGMENT_HEADER_BYTES || !header.subarray(0, 4).equals(MAGIC) || header.readUInt32LE(4) !== VERSION) {
    return undefined;
  }
  const [, begunAt = '0', beginner = ''] = SEGMENT_FILE.exec(basename(path)) ?? [];
  const firstAt = Number(begunAt);
  const { size, mtimeMs } = await handle.stat();
  const mark = await readMark(path);
  const segment: Segment = {
    ...emptySegment(path, header.readUInt32LE(8), firstAt),
    handle,
    owners: mark?.owners ?? [beginner],
    bytes: size,
    provenBytes: mark?.proven ?? mark?.end ?? 0,
    lastAt: mark?.lastAt ?? lastWritten(firstAt, Math.ceil(mtimeMs)),
    records: mark?.records ?? 0,
    pending: mark?.pending ?? [],
    reenqueued: mark?.reenqueued ?? [],
  };
  const known = Math.min(size, mark?.end ?? SEGMENT_HEADER_BYTES);
  // It may have lost its end since.
  segment.pending = segment.pending
    .map((range) => ({ ...range, to: Math.min(range.to, known) }))
    .filter(({ from, to }) => from < to);
  if (known < size) addRange(segment.pending, { from: known, to: size, records: 1 });
  return segment;
}

/**
 * When a segment was last written to whose mark does not say. A file that is older than its name was written after the clock was set
 * back: then nobody knows, and the latest time makes everything in it count as new.
 */
function lastWritten(firstAt: number, modifiedAt: number): number {
  return modifiedAt < firstAt ? Number.MAX_SAFE_INTEGER : modifiedAt;
}

/** Opens a file for reading; writable where that is possible, so that a torn end can be cut. */
export async function openToRead(path: string): Promise<FileHandle> {
  return open(path, 'r+').catch(() => open(path, 'r'));
}

/** Notes a record at the end of the segment. */
export function noteRecord(segment: Segment, length: number, at: number): Range {
  const range = { from: segment.bytes, to: segment.bytes + length, records: 1 };
  const last = segment.index.at(-1);
  if (last === undefined || at - last.at >= INDEX_STEP_MS) {
    segment.index.push({ at, from: segment.bytes, records: segment.records });
  }
  segment.bytes = range.to;
  segment.provenBytes = range.to;
  segment.records += 1;
  segment.lastAt = at;
  segment.isMarkStale = true;
  return range;
}

/** Makes pending again what was enqueued at or after `sinceMs`, and may be lost. */
export function redoSince(segment: Segment, sinceMs: number): void {
  const { pending, records, bytes, reenqueued } = segment;
  const again = reenqueued.filter(({ at }) => at >= sinceMs);
  for (const { from, to } of again) addRange(pending, { from, to, records: estimate(segment, to - from) });
  if (segment.lastAt >= sinceMs) {
    const known = segment.index.findLast(({ at }) => at <= sinceMs) ?? { from: SEGMENT_HEADER_BYTES, records: 0 };
    addRange(pending, { from: known.from, to: bytes, records: Math.max(1, records - known.records) });
  }
  segment.isMarkStale = true;
}

function estimate({ bytes, records }: Segment, part: number): number {
  return Math.max(1, Math.round((records * part) / Math.max(1, bytes - SEGMENT_HEADER_BYTES)));
}

/** Notes that a part of the segment has been enqueued after the fact. */
export function noteReenqueued(segment: Segment, { from, to }: Range, at: number): void {
  const last = segment.reenqueued.at(-1);
  // Parts of one second, one after the other, are one, so that the list stays short. The later time counts: a loss since then took the last of it.
  if (last?.to === from && secondOf(last.at) === secondOf(at)) Object.assign(last, { to, at: Math.max(last.at, at) });
  else segment.reenqueued.push({ from, to, at });
  segment.isMarkStale = true;
}

function secondOf(at: number): number {
  return Math.floor(at / 1000);
}

/** What nobody has told the outcome of counts as pending: nobody will. */
export function giveUpHeld(segment: Segment): void {
  for (const range of segment.held) addRange(segment.pending, range);
  segment.held.clear();
  segment.isMarkStale = true;
}

/** Whether all of it is with Redis. */
export function isEnqueued({ pending, held, isWriting }: Segment): boolean {
  return pending.length === 0 && held.size === 0 && !isWriting;
}

/** Whether among the names in a folder there is something to keep: a segment, or what was set aside. */
export function holdsSomething(names: readonly string[]): boolean {
  return names.some((name) => SEGMENT_FILE.test(name) || name.includes(DAMAGED));
}

/** Whether its file is still the one that its handle has open. @throws what the disk says */
export async function isInPlace({ path, handle }: Segment): Promise<boolean> {
  const [named, opened] = await Promise.all([stat(path).catch(ifMissing(undefined)), handle?.stat()]);
  return named !== undefined && (opened === undefined || named.ino === opened.ino);
}

/** Moves a segment of another process, opened already, into `folder`; whether nobody else was quicker. */
export async function moveSegment(segment: Segment, folder: string): Promise<boolean> {
  const { path } = segment;
  const moved = join(folder, basename(path));
  try {
    await rename(path, moved);
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
  segment.path = moved;
  // The segment is ours, whatever becomes of its mark: that is written anew at the next tick, and without it all of the segment is pending.
  await rename(`${path}.mark`, `${moved}.mark`).catch(() => undefined);
  return true;
}

/** Closes a segment and removes its file. @throws what the disk says; then its file may be there still */
export async function removeSegment(segment: Segment): Promise<void> {
  await closeSegment(segment);
  await removeFile(segment.path);
  await removeMark(segment.path);
}

/** Closes a segment's file. */
export async function closeSegment(segment: Segment): Promise<void> {
  const { handle } = segment;
  segment.handle = undefined;
  // What was written to it is on the disk already.
  await handle?.close().catch(() => undefined);
}

/**
 * Keeps bytes of a segment that are no record in a file of their own, `<segment>.damaged-<offset>`.
 *
 * @returns The file's path.
 */
export async function setAside(segment: Segment, { from, to }: { from: number; to: number }): Promise<string> {
  const path = `${segment.path}${DAMAGED}${from}`;
  const bytes = Buffer.alloc(to - from);
  await segment.handle?.read(bytes, 0, bytes.length, from);
  const aside = await open(path, 'w', 0o600);
  try {
    await aside.write(bytes);
    await aside.datasync();
  } finally {
    await aside.close();
  }
  return path;
}

/** Puts the names in a folder on the disk. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Puts a folder's own name on the disk. */
export function syncParent(folder: string): Promise<void> {
  return syncFolder(dirname(folder));
}

function emptySegment(path: string, seed: number, firstAt: number): Segment {
  return {
    path,
    seed,
    owners: [],
    firstAt,
    lastAt: firstAt,
    begunAt: 0,
    quietSince: 0,
    bytes: SEGMENT_HEADER_BYTES,
    provenBytes: 0,
    isWriting: false,
    records: 0,
    pending: [],
    held: new Set(),
    reenqueued: [],
    index: [],
    handle: undefined,
    isMarkStale: true,
  };
}
