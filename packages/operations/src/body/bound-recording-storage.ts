import { openBoundStorage, StorageError } from '@landline/recordings';
import { BodyMissingError } from '../errors.ts';
import type { RecordingStorage } from './recording-storage.ts';

/**
 * Opens the storage that RECORDINGS_URL names for a process that reads on behalf of others: it reads what lies there, and nothing elsewhere, whatever the URL of
 * a row says. No message has that URL.
 *
 * @param configured  RECORDINGS_URL; empty where it is not set: then nothing is read.
 */
export function openBoundRecordingStorage(configured: string): Pick<RecordingStorage, 'read' | 'close'> {
  if (configured === '') return { read: refuse, close: () => undefined };
  const storage = openBoundStorage(configured);
  return {
    async *read(url, options = {}) {
      try {
        yield* storage.read(url, options);
      } catch (cause) {
        options.signal?.throwIfAborted();
        if (cause instanceof RangeError) throw cause;
        throw missing(cause);
      }
    },
    close: () => storage.close(),
  };
}

// oxlint-disable-next-line require-yield -- it reads nothing
async function* refuse(): AsyncGenerator<Buffer> {
  throw new BodyMissingError('outside', NOT_SET);
}

const NOT_SET =
  'RECORDINGS_URL is not set here: set it to the folder or the bucket that the receivers keep recordings in, and restart.';

const OUTSIDE =
  'It lies outside of what RECORDINGS_URL names here, so it is not read: set RECORDINGS_URL to where it was stored, and restart.';

function missing(cause: unknown): BodyMissingError {
  const code = cause instanceof StorageError ? cause.code : undefined;
  if (code === 'outside') return new BodyMissingError('outside', OUTSIDE, { cause });
  const message =
    code === 'missing'
      ? 'The storage does not have it any more.'
      : `See that RECORDINGS_URL is right here, and that this process may read what it names (${code ?? 'unknown'}).`;
  return new BodyMissingError('unreadable', message, { cause });
}
