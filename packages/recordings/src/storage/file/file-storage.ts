import { constants } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { makeFolder } from '@landline/held-folder';
import { ifMissing, removeFile, syncFolder } from '@landline/held-folder/files';
import { checkedContent, isContent, type Content } from '../content.ts';
import { keyAtEnd } from '../recording-key.ts';
import { spanOf, type Span } from '../span.ts';
import { StorageError } from '../storage-error.ts';
import type { PutOptions, ReadOptions, Storage } from '../storage.ts';
import { createPut } from '../store-once.ts';
import { toFileError } from './file-error.ts';
import { partMark, removeLeftOvers, removeParts, writePart } from './parts.ts';
import { placeFile, type LinkFile } from './place-file.ts';

/** How many bytes `check` writes. A full disk may still take a few. */
const PROBE = Buffer.alloc(64 * 1024);

/** How many bytes are read at once. */
const PART_BYTES = 64 * 1024;

/** What only a test sets. */
export interface FileStorageOptions {
  /** Makes a hard link; a test has none made. */
  linkFile?: LinkFile;
}

/** Keeps recordings in a folder of this machine. */
export function createFileStorage(folder: string, { linkFile }: FileStorageOptions = {}): Storage {
  let isFirst = true;

  async function storeAt(key: string, content: PutOptions): Promise<string | undefined> {
    const path = join(folder, key);
    if (isFirst) await removeLeftOvers(folder);
    isFirst = false;
    const isPlaced = (await sizeAt(path)) === undefined && (await writeFile({ folder, path, linkFile }, content));
    if (!isPlaced && !(await holds(path, content))) return undefined;
    await removeParts(folder, partMark(path, content.sha256));
    // Also where another process put the file there: it may have died before it synced the folder.
    await syncFolder(dirname(path));
    return `file:${path}`;
  }

  return {
    put: createPut({ storeAt, toError: (error) => toPutError(error, folder) }),
    read: readFile,
    sizeOf: sizeOfFile,
    async remove(url) {
      const path = pathOf(url);
      try {
        await removeFile(path);
        await syncFolder(dirname(path)).catch(ifMissing(undefined));
      } catch (error) {
        throw toFileError(error, path);
      }
    },
    async check() {
      try {
        await removeLeftOvers(folder);
        await removeFile(await writePart(folder, only(PROBE)));
      } catch (error) {
        throw toPutError(error, folder);
      }
    },
    close: () => undefined,
  };
}

/** Where a file goes. */
interface Target {
  folder: string;
  path: string;
  linkFile: LinkFile | undefined;
}

/** Writes a content beside, then puts it in place. Returns false where another file came in between. */
async function writeFile({ folder, path, linkFile }: Target, content: PutOptions): Promise<boolean> {
  await makeFolder(dirname(path));
  const part = await writePart(folder, checkedContent(content), partMark(path, content.sha256));
  try {
    return await placeFile(part, path, linkFile);
  } finally {
    await removeFile(part).catch(() => undefined);
  }
}

async function* readFile(url: string, options: ReadOptions = {}): AsyncGenerator<Buffer> {
  const { signal } = options;
  const span = spanOf(options);
  signal?.throwIfAborted();
  const path = pathOf(url);
  let file: OpenFile | undefined;
  try {
    file = await openFile(path);
    yield* partsOf(file.handle, span, signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw toFileError(error, path);
  } finally {
    await file?.handle.close();
  }
}

async function sizeOfFile(url: string): Promise<number> {
  const path = pathOf(url);
  try {
    const { handle, bytes } = await openFile(path);
    await handle.close();
    return bytes;
  } catch (error) {
    throw toFileError(error, path);
  }
}

/** A file of a recording, open for reading, and its size. */
interface OpenFile {
  handle: FileHandle;
  bytes: number;
}

/** A link is no recording: only files that this storage has made are opened. A pipe is not waited for. */
async function openFile(path: string): Promise<OpenFile> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const found = await handle.stat();
    if (found.isFile()) return { handle, bytes: found.size };
    throw new StorageError('refused', `There is no file of a recording at ${path}.`);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function* partsOf(
  handle: FileHandle,
  span: Span | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  let at = span?.start ?? 0;
  const behind = (span?.end ?? Infinity) + 1;
  while (at < behind) {
    signal?.throwIfAborted();
    const part = Buffer.allocUnsafe(Math.min(PART_BYTES, behind - at));
    // oxlint-disable-next-line no-await-in-loop -- the bytes are read in their order
    const { bytesRead } = await handle.read(part, 0, part.length, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield part.subarray(0, bytesRead);
  }
}

async function* only(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

async function sizeAt(path: string): Promise<number | undefined> {
  return (await stat(path).catch(ifMissing(undefined)))?.size;
}

async function holds(path: string, content: Content): Promise<boolean> {
  return (await sizeAt(path)) === content.bytes && isContent(readFile(`file:${path}`), content);
}

/** The url may be older than the present RECORDINGS_URL, so any folder may lead to the key. */
function pathOf(url: string): string {
  const path = url.startsWith('file:') ? url.slice('file:'.length) : '';
  const isPlain = path.startsWith('/') && !path.includes('\0') && normalize(path) === path;
  if (isPlain && keyAtEnd(path) !== undefined) return path;
  throw new StorageError(
    'refused',
    url.startsWith('s3:')
      ? 'The recording is in S3, and RECORDINGS_URL names a folder. Set RECORDINGS_URL to the bucket to reach it.'
      : 'The URL of a recording must be file: with the absolute path of a file that Landline has stored.',
  );
}

/** At a write, nothing is missing but the folder itself, which another process removed. */
function toPutError(error: unknown, folder: string): StorageError {
  const fault = toFileError(error, folder);
  if (fault.code !== 'missing') return fault;
  return new StorageError(
    'unavailable',
    `The folder of the recordings was removed while it was written (${folder}).`,
    error,
  );
}
