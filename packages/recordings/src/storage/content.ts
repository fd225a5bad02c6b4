import { createHash } from 'node:crypto';
import type { PutOptions } from './storage.ts';
import { StorageError } from './storage-error.ts';

/** What tells one content from another. */
export type Content = Pick<PutOptions, 'bytes' | 'sha256'>;

/** An error of the one who reads the content, so that it is not taken for one of the storage. */
export class SourceError extends Error {
  constructor(cause: unknown) {
    super('The content cannot be read.', { cause });
    this.name = 'SourceError';
  }
}

/**
 * Yields the content of a `put`. It holds the last part back until size and hash are known to be right, so no reader
 * ever has the whole of a content that was announced wrongly.
 *
 * @throws StorageError, of code `damaged`; SourceError where the content cannot be read
 */
export async function* checkedContent(options: PutOptions): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let bytes = 0;
  let last: Buffer | undefined;
  for await (const part of readSource(options)) {
    if (part.length === 0) continue;
    bytes += part.length;
    if (bytes > options.bytes) throw damaged(`has more than the ${options.bytes} bytes that were announced`);
    hash.update(part);
    if (last !== undefined) yield last;
    last = part;
  }
  if (bytes < options.bytes) throw damaged(`has ${bytes} bytes, and ${options.bytes} were announced`);
  if (hash.digest('hex') !== options.sha256) throw damaged('has not the SHA-256 that was announced');
  if (last !== undefined) yield last;
}

/** Returns whether `parts` are this content. Stops at the first part that makes it longer. */
export async function isContent(parts: AsyncIterable<Buffer>, { bytes, sha256 }: Content): Promise<boolean> {
  const hash = createHash('sha256');
  let read = 0;
  for await (const part of parts) {
    read += part.length;
    if (read > bytes) return false;
    hash.update(part);
  }
  return read === bytes && hash.digest('hex') === sha256;
}

/** A fault of the consumer never enters a generator, so this sees faults of the source alone. */
async function* readSource({ open }: PutOptions): AsyncGenerator<Buffer> {
  try {
    yield* open();
  } catch (error) {
    throw new SourceError(error);
  }
}

function damaged(how: string): StorageError {
  return new StorageError('damaged', `The content to store ${how}. Nothing was stored.`);
}
