import { createHash } from 'node:crypto';
import type { StoredEvent } from '@landline/store';
import { keyOfHash } from '@landline/webhook';
import type { RecordingStorage } from './recording-storage.ts';
import { wholeBody } from './whole-body.ts';

/**
 * - `sound`: the bytes are those of the event.
 * - `changed`: all bytes were written, and they are not those of the event.
 * - `unread`: nobody reads the output any more.
 */
export type WriteOutcome = 'sound' | 'changed' | 'unread';

/** What `writeBody` works with. */
export interface WriteOptions {
  storage: RecordingStorage;
  /** Resolves with false when nobody reads the output any more. */
  write: (bytes: Uint8Array) => Promise<boolean>;
}

/**
 * Writes the exact bytes of an event's body, and holds their SHA-256 against the event's id.
 *
 * @throws What `wholeBody` and `write` throw.
 */
export async function writeBody(event: StoredEvent, { storage, write }: WriteOptions): Promise<WriteOutcome> {
  const hashes = [createHash('sha256')];
  // The key of a live event that names neither an id nor a time is made of the signature's second, too, which is its time then.
  if (event.reference === undefined) {
    hashes.push(createHash('sha256').update(`${Math.floor(event.eventAt / 1000)}.`));
  }
  for await (const part of wholeBody(event, storage)) {
    for (const hash of hashes) hash.update(part);
    if (!(await write(part))) return 'unread';
  }
  return hashes.some((hash) => keyOfHash(hash.digest('hex')) === event.id) ? 'sound' : 'changed';
}
