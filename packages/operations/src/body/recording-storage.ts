import { openStorage, type ReadOptions, type Storage } from '@landline/recordings';
import { BodyMissingError } from '../errors.ts';

/** Reads what is kept outside the database. Every method that fails throws a `BodyMissingError` of reason `unreadable`; its message says what is wrong. */
export interface RecordingStorage {
  /**
   * Reads an object, or a range of it. What of the range is behind the object's end is left out.
   *
   * @param url      `file:<absolute path>` or `s3://<bucket>/<key>`.
   * @param options  `start` and `end`: the offsets of the first and of the last byte, as in HTTP's `Range`.
   * @throws         The reason of `signal` as it is; RangeError for a range that is none, which no storage is to blame for.
   */
  read: (url: string, options?: ReadOptions) => AsyncIterable<Buffer>;
  /** Tells the size of an object, in bytes. */
  sizeOf: (url: string) => Promise<number>;
  /** Closes all connections. */
  close: () => void;
}

/**
 * Opens the storage that RECORDINGS_URL names; it connects with the first reading. What lies elsewhere is read where its own URL says: a file by its path, an
 * object in its own bucket.
 *
 * @param configured  RECORDINGS_URL; undefined or empty where it is not set.
 * @param fallback    What is used in its place then, such as the folder of `npm start`.
 */
export function openRecordingStorage(configured: string | undefined, fallback = ANY_FOLDER): RecordingStorage {
  const own = configured || fallback;
  const opened = new Map<string, Storage>();

  function storageOf(url: string): Storage {
    const target = schemeOf(url) === schemeOf(own) ? own : elsewhere(url);
    const storage = opened.get(target) ?? openStorage(target);
    opened.set(target, storage);
    return storage;
  }

  return {
    async *read(url, options = {}) {
      try {
        yield* storageOf(url).read(url, options);
      } catch (cause) {
        options.signal?.throwIfAborted();
        if (cause instanceof RangeError) throw cause;
        throw unreadable(url, cause);
      }
    },
    async sizeOf(url) {
      try {
        return await storageOf(url).sizeOf(url);
      } catch (cause) {
        throw unreadable(url, cause);
      }
    },
    close() {
      for (const storage of opened.values()) storage.close();
      opened.clear();
    },
  };
}

/** The URL of a file has its whole path, so any folder will do. */
const ANY_FOLDER = 'file:/';

function elsewhere(url: string): string {
  return schemeOf(url) === 's3' ? `s3://${new URL(url).host}` : ANY_FOLDER;
}

function schemeOf(url: string): string {
  return url.slice(0, url.indexOf(':'));
}

function unreadable(url: string, cause: unknown): BodyMissingError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new BodyMissingError('unreadable', `${url} cannot be read: ${message}`, { cause });
}
