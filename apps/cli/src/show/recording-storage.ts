import { openStorage } from '@landline/recordings';
import { CliError } from '../errors.ts';
import { recordingsUrl } from '../start/data-folders.ts';
import type { Environment } from '../start/env-file.ts';

/** Reads what is kept outside the database. */
export interface RecordingStorage {
  /**
   * Reads an object from its beginning.
   *
   * @param url  `file:<absolute path>` or `s3://<bucket>/<key>`.
   * @throws     {CliError} `body_missing`; its message says what is wrong.
   */
  read: (url: string) => AsyncIterable<Buffer>;
}

/** Opens the storage that RECORDINGS_URL names. What lies elsewhere is read where its own URL says. */
export function openRecordingStorage(root: string, env: Environment): RecordingStorage {
  const configured = env['RECORDINGS_URL'] || recordingsUrl(root);
  return {
    async *read(url) {
      try {
        const bucketOrFolder = schemeOf(url) === 's3' ? `s3://${new URL(url).host}` : recordingsUrl(root);
        const storage = openStorage(schemeOf(url) === schemeOf(configured) ? configured : bucketOrFolder);
        try {
          yield* storage.read(url);
        } finally {
          storage.close();
        }
      } catch (cause) {
        const message = cause instanceof Error ? cause.message : String(cause);
        throw new CliError('body_missing', `${url} cannot be read: ${message}`, { cause });
      }
    },
  };
}

function schemeOf(url: string): string {
  return url.slice(0, url.indexOf(':'));
}
