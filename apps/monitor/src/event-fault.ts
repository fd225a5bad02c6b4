import { normalise } from '@landline/webhook';
import type { LiveEvent } from './live-event.ts';

/** The largest event, in bytes. A larger one would go by the receiver's disk; words of a call are far smaller. */
const MAX_BYTES = 262_144;

/**
 * Returns why an event cannot be sent, without anything that the event says; undefined where it can. The worker would make a dead event of one
 * that it cannot read: one that nests too deep, for example, or names a call by a longer id than a row takes.
 */
export function faultOf({ body }: LiveEvent): string | undefined {
  if (Buffer.byteLength(body) > MAX_BYTES) return 'is too large for an event';
  const read = normalise({ receivedAt: 0, signedAt: 0, secretId: '', encoding: 'utf8', body });
  if (read.outcome === 'applied') return undefined;
  return `makes no event that the worker reads (${read.outcome === 'dead' ? read.fault.code : read.outcome})`;
}
