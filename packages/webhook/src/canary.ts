import { randomUUID } from 'node:crypto';
import type { LedgerEntry } from './changes.ts';

/**
 * The type of a canary: the event by which a receiver checks the whole way to the ledger. The receiver signs a canary
 * and sends it like any other event. A canary writes no row of its own to the users' tables. A worker that is older
 * than this type records a canary as `ignored`.
 */
export const CANARY_TYPE = 'landline.canary';

/**
 * Makes the body of a canary. Each body has a random id, so no two canaries have the same idempotency key.
 *
 * @param sentAtMs  Unix milliseconds: the event's time, as `normalise` reads it.
 */
export function canaryBody(sentAtMs: number): Buffer {
  const event = { type: CANARY_TYPE, event_timestamp: sentAtMs / 1000, data: { id: randomUUID() } };
  return Buffer.from(JSON.stringify(event));
}

/** Returns whether an event is a canary. Only a holder of the webhook secret can send one. */
export function isCanary({ entry }: { entry: LedgerEntry }): boolean {
  return entry.type === CANARY_TYPE;
}
