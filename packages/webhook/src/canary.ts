import { randomUUID } from 'node:crypto';
import type { LedgerEntry } from './changes.ts';

/**
 * The type of the event by which a receiver proves the whole way. It travels like any other, signed, and leaves no row
 * and no trace among the users' events. A worker older than it takes it for an unknown type and records it as ignored.
 */
export const CANARY_TYPE = 'landline.canary';

/**
 * The body of a canary, unlike that of any other.
 *
 * @param sentAtMs  Unix milliseconds: the event's time, as `normalise` reads it.
 */
export function canaryBody(sentAtMs: number): Buffer {
  const event = { type: CANARY_TYPE, event_timestamp: sentAtMs / 1000, data: { id: randomUUID() } };
  return Buffer.from(JSON.stringify(event));
}

/** Whether an event is a canary: only a holder of the secret can send one. */
export function isCanary({ entry }: { entry: LedgerEntry }): boolean {
  return entry.type === CANARY_TYPE;
}
