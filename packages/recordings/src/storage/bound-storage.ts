import { realpath } from 'node:fs/promises';
import { basename, dirname, join, normalize, sep } from 'node:path';
import { openStorage } from './open-storage.ts';
import { isKey } from './recording-key.ts';
import { StorageError } from './storage-error.ts';
import { parseStorageUrl, type BucketTarget } from './storage-url.ts';
import type { ReadOptions, Storage } from './storage.ts';

/** Reads only what lies in one storage. */
export type BoundStorage = Pick<Storage, 'read' | 'close'>;

/**
 * Opens the storage that RECORDINGS_URL names, for readers that must not trust the URLs of the rows: who can write a row could have any file of this machine
 * read, or any bucket that the credentials open.
 *
 * @returns  A storage that reads what lies below the folder, links followed, or in the bucket behind the prefix. Whatever else fails with the code `outside`.
 * @throws   an Error with clear words for a URL that cannot be meant
 */
export function openBoundStorage(url: string): BoundStorage {
  const storage = openStorage(url);
  const target = parseStorageUrl(url);
  return {
    async *read(wanted: string, options?: ReadOptions) {
      const isInside = target.kind === 'file' ? await isBelow(target.folder, wanted) : isIn(target, wanted);
      options?.signal?.throwIfAborted();
      // The message says nothing of the URL: who asks may have put it there to learn something.
      if (!isInside) throw new StorageError('outside', 'It lies outside of what RECORDINGS_URL names.');
      yield* storage.read(wanted, options);
    },
    close: () => storage.close(),
  };
}

function isIn({ bucket, prefix }: BucketTarget, url: string): boolean {
  const start = `s3://${bucket}/${prefix}`;
  return url.startsWith(start) && isKey(url.slice(start.length));
}

async function isBelow(folder: string, url: string): Promise<boolean> {
  const path = url.startsWith('file:/') ? url.slice('file:'.length) : '';
  if (path === '' || path.includes('\0') || normalize(path) !== path) return false;
  try {
    const [root, parent] = await Promise.all([realpath(folder), realpath(dirname(path))]);
    return startsBelow(root, join(parent, basename(path)));
  } catch {
    // A folder on the way is not there, or may not be read. Only of what would be inside the storage may say so.
    return startsBelow(folder, path);
  }
}

function startsBelow(folder: string, path: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
}
