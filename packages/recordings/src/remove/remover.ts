import { isGone } from '@landline/held-folder/files';
import { createFileStorage } from '../storage/file/file-storage.ts';
import { openStorage } from '../storage/open-storage.ts';
import { keyAtEnd } from '../storage/recording-key.ts';
import { StorageError } from '../storage/storage-error.ts';
import type { Storage } from '../storage/storage.ts';

/** Removes what storages keep: those of today's RECORDINGS_URL, and those of earlier ones where they can be reached. */
export interface RecordingRemover {
  /** Removes a stored content; does nothing where it is gone. @throws StorageError, with what to do */
  remove(url: string): Promise<void>;
  /** Closes all connections. */
  close(): void;
}

/**
 * Opens a remover; it connects with the first removal.
 *
 * @param recordingsUrl  RECORDINGS_URL; empty where there is none. A bucket is reached only by it; a folder is reached by the URL of the file.
 */
export function openRemover(recordingsUrl: string): RecordingRemover {
  // Any folder will do: the URL of a file has the whole path.
  const files = createFileStorage('/');
  let bucket: Storage | undefined;

  return {
    async remove(url) {
      if (!url.startsWith('s3:')) {
        await refuseOtherMachines(url);
        await files.remove(url);
        return;
      }
      if (!recordingsUrl.startsWith('s3:')) {
        throw new StorageError('refused', 'The recording is in S3. Set RECORDINGS_URL of the workers to the bucket.');
      }
      bucket ??= openStorage(recordingsUrl);
      await bucket.remove(url);
    },
    close: () => bucket?.close(),
  };
}

/** A file is not gone because another machine has it: where the folder of all recordings is missing, nobody knows. */
async function refuseOtherMachines(url: string): Promise<void> {
  const path = url.slice('file:'.length);
  const key = keyAtEnd(path);
  const root = key === undefined ? path : path.slice(0, -key.length);
  if (key === undefined || !(await isGone(root).catch(() => false))) return;
  throw new StorageError(
    'refused',
    `The folder ${root} is not there: the recording is on another machine. Give the workers the folder of RECORDINGS_URL.`,
  );
}
