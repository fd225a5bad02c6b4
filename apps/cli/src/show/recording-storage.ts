import { createReadStream } from 'node:fs';
import { CliError } from '../errors.ts';

/** Reads what is kept outside the database. */
export interface RecordingStorage {
  /**
   * Reads an object from its beginning.
   *
   * @param url  `file:<absolute path>` or `s3://<bucket>/<key>`.
   * @throws     An error whose message says what is wrong.
   */
  read: (url: string) => AsyncIterable<Buffer>;
}

/** Opens the storage of this machine: it reads files. */
export function openRecordingStorage(): RecordingStorage {
  return { read: readFileUrl };
}

async function* readFileUrl(url: string): AsyncGenerator<Buffer> {
  if (!url.startsWith('file:')) {
    throw new CliError('body_missing', `This version reads recordings from files only, not from ${url}.`);
  }
  try {
    for await (const part of createReadStream(url.slice('file:'.length))) {
      if (Buffer.isBuffer(part)) yield part;
    }
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new CliError('body_missing', `${url} cannot be read: ${message}.`, { cause });
  }
}
