import { checkBody, wholeBody, type RecordingStorage } from '@landline/operations';
import type { StoredEvent } from '@landline/store';

/**
 * - `sound`: the bytes are those of the event.
 * - `changed`: all bytes were written, and they are not those of the event.
 * - `unread`: nobody reads the output any more.
 */
export type WriteOutcome = 'sound' | 'changed' | 'unread';

/** What `writeBody` works with. */
export interface WriteOptions {
  storage: Pick<RecordingStorage, 'read'>;
  /** Resolves with false when nobody reads the output any more. */
  write: (bytes: Uint8Array) => Promise<boolean>;
}

/**
 * Writes the exact bytes of an event's body, and holds their SHA-256 against the event's id.
 *
 * @throws What `wholeBody` and `write` throw.
 */
export async function writeBody(event: StoredEvent, { storage, write }: WriteOptions): Promise<WriteOutcome> {
  const check = checkBody(event);
  for await (const part of wholeBody(event, storage)) {
    check.update(part);
    if (!(await write(part))) return 'unread';
  }
  return check.isSound() ? 'sound' : 'changed';
}
