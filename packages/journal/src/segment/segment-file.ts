import { constants, open, rename, stat, type FileHandle } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DiskFullError } from '../errors.ts';
import { ifMissing, isMissing, removeFile } from '@landline/held-folder/files';
import { damagedFileOf } from './format.ts';
import { removeMark } from './mark.ts';

/**
 * Whether a write to a segment is on the disk when it returns. On Linux O_DSYNC does this with one system call and one
 * thread, where fdatasync needs two. On other systems O_DSYNC may leave the data in the drive's cache.
 */
const WRITES_ARE_SYNCED = process.platform === 'linux';

const { O_RDWR, O_APPEND, O_CREAT, O_EXCL, O_DSYNC } = constants;
const BEGIN_FLAGS = O_RDWR | O_APPEND | O_CREAT | O_EXCL | (WRITES_ARE_SYNCED ? O_DSYNC : 0);

/** A segment's file: its path, and its handle, which is opened on demand. */
export interface SegmentFile {
  path(): string;
  isOpen(): boolean;
  /**
   * Appends buffers to a file of `length` bytes. When it resolves, they are on the disk; when it rejects, they are cut
   * off again.
   *
   * @throws DiskFullError, the disk's error
   */
  append(buffers: readonly Buffer[], length: number): Promise<void>;
  /** Returns the handle to read from; opens the file where it is closed. @throws the disk's error */
  open(): Promise<FileHandle>;
  /** Truncates the file. @throws the disk's error */
  truncate(length: number): Promise<void>;
  /** Copies the bytes of a range to a new file and resolves with its path. @throws the disk's error */
  copyAside(range: { from: number; to: number }): Promise<string>;
  /** Whether the file at the path is still the open one. @throws the disk's error */
  isInPlace(): Promise<boolean>;
  /**
   * Moves the file and its mark into a folder; false where another process moved them before. @throws the disk's error
   */
  moveTo(folder: string): Promise<boolean>;
  close(): Promise<void>;
  /** Closes the file and removes it and its mark. @throws the disk's error; then the file may still be there */
  remove(): Promise<void>;
}

/** Creates a file with a header. @throws DiskFullError, the disk's error; then the file is removed again */
export async function beginSegmentFile(path: string, header: Buffer): Promise<SegmentFile> {
  const handle = await open(path, BEGIN_FLAGS, 0o600);
  const file = segmentFileOf(path, handle);
  try {
    const { bytesWritten } = await handle.write(header);
    if (bytesWritten < header.length) throw new DiskFullError('the disk is full');
    await syncData(handle);
    return file;
  } catch (error) {
    // The first error is the cause. If the file stays, it holds no record.
    await file.remove().catch(() => undefined);
    throw error;
  }
}

/** Makes the file at a path; its handle is opened on demand. */
export function segmentFileOf(path: string, opened?: FileHandle): SegmentFile {
  let current = path;
  let handle = opened;
  async function close(): Promise<void> {
    const closing = handle;
    handle = undefined;
    // Everything written to the file is on the disk already.
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

/** Opens a file for reading, and where possible for writing, so that a torn end can be cut. */
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
    // A nearly full disk writes a part and returns no error.
    if (bytesWritten < length) throw new DiskFullError(`the disk took ${bytesWritten} of ${length} bytes; it is full`);
    await syncData(handle);
  } catch (error) {
    // A refused record must not take room, and must not come back. Where truncating fails too, the record may be
    // enqueued, which does no harm.
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
  // The segment has moved even if its mark has not. The next tick writes the mark again; without a mark the whole
  // segment is pending.
  await rename(`${from}.mark`, `${to}.mark`).catch(() => undefined);
  return true;
}
