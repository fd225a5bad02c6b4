import { createFileStorage } from './file/file-storage.ts';
import { createS3Storage } from './s3/s3-storage.ts';
import { parseStorageUrl } from './storage-url.ts';
import type { Storage } from './storage.ts';

/** How long no byte may come or go until an operation fails, in ms. A shorter time fails on slow lines, a longer one holds up the mover. */
const IDLE_LIMIT_MS = 30_000;

/**
 * Opens the storage that RECORDINGS_URL names. It connects at the first operation.
 *
 * @param url  See `parseStorageUrl`.
 * @param idleLimitMs  Only tests need another one.
 * @throws an Error with clear words for a URL that cannot be meant
 */
export function openStorage(url: string, { idleLimitMs = IDLE_LIMIT_MS }: { idleLimitMs?: number } = {}): Storage {
  const target = parseStorageUrl(url);
  return target.kind === 'file' ? createFileStorage(target.folder) : createS3Storage(target, { idleLimitMs });
}
