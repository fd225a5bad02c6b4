import type { ApplicableEvent } from '@landline/store';
import { normalise } from '@landline/webhook';
import type { SignedEvent } from '../contender.ts';
import { receivedNow } from '../peers/received-now.ts';

/** Normalises events as the worker does. @throws When an event would be a dead letter. */
export function normalised(events: Iterable<SignedEvent>): ApplicableEvent[] {
  return Array.from(events, ({ body, signedAt }) => {
    const event = normalise(receivedNow(body, signedAt));
    if (event.outcome === 'dead') throw new Error(event.fault.message);
    return event;
  });
}
