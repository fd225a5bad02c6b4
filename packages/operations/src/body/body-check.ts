import { createHash } from 'node:crypto';
import type { StoredEvent } from '@landline/store';
import { keyOfHash } from '@landline/webhook';

/** Holds the bytes that were given of a body against the id of its event. */
export interface BodyCheck {
  /** Takes the next bytes. */
  update(part: Uint8Array): void;
  /** Tells whether all bytes together are those of the event. Call it once, at the end. */
  isSound(): boolean;
}

/** Begins to check the bytes of a body. */
export function checkBody(event: Pick<StoredEvent, 'id' | 'eventAt' | 'reference'>): BodyCheck {
  const hashes = [createHash('sha256')];
  // The key of a live event that names neither an id nor a time is made of the signature's second, too, which is its time then.
  if (event.reference === undefined) {
    hashes.push(createHash('sha256').update(`${Math.floor(event.eventAt / 1000)}.`));
  }
  return {
    update: (part) => hashes.forEach((hash) => hash.update(part)),
    isSound: () => hashes.some((hash) => keyOfHash(hash.digest('hex')) === event.id),
  };
}
