import { constants, open, rename, stat, type FileHandle } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DiskFullError } from '../errors.ts';
import { ifMissing, isMissing, removeFile } from '../files.ts';
import { damagedFileOf } from './format.ts';
import { removeMark } from './mark.ts';

/**
 * On Linux each write to a segment is on the disk when it returns: one call to the system, and one thread woken, instead of two
 * with fdatasync. Elsewhere O_DSYNC may leave it in the drive's own cache.
 */
const WRITES_ARE_SYNCED = process.platform === 'linux';

const { O_RDWR, O_APPEND, O_CREAT, O_EXCL, O_DSYNC } = constants;
const BEGIN_FLAGS = O_RDWR | O_APPEND | O_CREAT | O_EXCL | (WRITES_ARE_SYNCED ? O_DSYNC : 0);

/** A segment's file: its path and its handle, which is opened when it is needed. */
export interface SegmentFile {
  path(): string;
  isOpen(): boolean;
  /**
   * Appends buffers to a file of `length` bytes; they are on the disk when it resolves. What was refused is cut off again.
   *
   * @throws DiskFullError, the disk's error
   */
  append(buffers: readonly Buffer[], length: number): Promise<void>;
  /** The handle to read from; opens the file where it is closed. @throws the disk's error */
  open(): Promise<FileHandle>;
  /** Cuts the file. @throws the disk's error */
  truncate(length: number): Promise<void>;
  /** Copies the bytes of a range to a file of their own and resolves with its path. @throws the disk's error */
  copyAside(range: { from: number; to: number }): Promise<string>;
  /** Whether the file at its path is still the one that is open. @throws the disk's error */
  isInPlace(): Promise<boolean>;
  /** Moves the file and its mark into a folder; false where another process was quicker. @throws the disk's error */
  moveTo(folder: string): Promise<boolean>;
  close(): Promise<void>;
  /** Closes the file and removes it and its mark. @throws the disk's error; then the file may still be there */
  remove(): Promise<void>;
}

/** Begins a file with these bytes. @throws DiskFullError, the disk's error; then the file is removed again */
export async function beginSegmentFile(path: string, header: Buffer): Promise<SegmentFile> {
  const handle = await open(path, BEGIN_FLAGS, 0o600);
  const file = segmentFileOf(path, handle);
  try {
    const { bytesWritten } = await handle.write(header);
    if (bytesWritten < header.length) throw new DiskFullError('the disk is full');
    await syncData(handle);
    return file;
  } catch (error) {
    // The first error is the one to tell. No record is in the file if it stays.
    await file.remove().catch(() => undefined);
    throw error;
  }
}

/** The file at a path; it is opened when it is needed. */
export function segmentFileOf(path: string, opened?: FileHandle): SegmentFile {
  let current = path;
  let handle = opened;
  async function close(): Promise<void> {
    const closing = handle;
    handle = undefined;
    // What was written to it is on the disk already.
    await closing?.close().catch(() => undefined);
  }
  return {
    path: () => current,
    isOpen: () => handle !== undefined,
    append: (buffers, length) => append(handle, buffers, length),
    async open() {
      handle ??= await openToRead(current);
      return handle;
    },
    truncate: async (length) => handle?.truncate(length),
    copyAside: (range) => copyAside(handle, current, range),
    async isInPlace() {
      const [named, held] = await Promise.all([stat(current).catch(ifMissing(undefined)), handle?.stat()]);
      return named !== undefined && (held === undefined || named.ino === held.ino);
    },
    async moveTo(folder) {
      const moved = join(folder, basename(current));
      if (!(await renameWithMark(current, moved))) return false;
      current = moved;
      return true;
    },
    close,
    async remove() {
      await close();
      await removeFile(current);
      await removeMark(current);
    },
  };
}

/** Opens a file for reading; for writing as well where that is possible, so that a torn end can be cut. */
function openToRead(path: string): Promise<FileHandle> {
  return open(path, 'r+').catch(() => open(path, 'r'));
}

async function syncData(handle: FileHandle): Promise<void> {
  if (!WRITES_ARE_SYNCED) await handle.datasync();
}

async function append(handle: FileHandle | undefined, buffers: readonly Buffer[], end: number): Promise<void> {
  if (handle === undefined) throw new Error('its file is closed');
  const length = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
  try {
    const { bytesWritten } = await handle.writev(buffers);
    // A disk that is nearly full takes a part without an error.
    if (bytesWritten < length) throw new DiskFullError(`the disk took ${bytesWritten} of ${length} bytes; it is full`);
    await syncData(handle);
  } catch (error) {
    // A refused record must neither take room nor come back. Where this fails as well it may come back: enqueued, it does no harm.
    await handle.truncate(end).catch(() => undefined);
    throw error;
  }
}

async function copyAside(
  handle: FileHandle | undefined,
  segmentPath: string,
  { from, to }: { from: number; to: number },
): Promise<string> {
  const path = damagedFileOf(segmentPath, from);
  const bytes = Buffer.alloc(to - from);
  await handle?.read(bytes, 0, bytes.length, from);
  const aside = await open(path, 'w', 0o600);
  try {
    await aside.write(bytes);
    await aside.datasync();
  } finally {
    await aside.close();
  }
  return path;
}

async function renameWithMark(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
  // The segment has moved, whatever becomes of its mark: the mark is written anew at the next tick, and without it all is pending.
  await rename(`${from}.mark`, `${to}.mark`).catch(() => undefined);
  return true;
}
