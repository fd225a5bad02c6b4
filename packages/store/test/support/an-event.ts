import { normalise, type Delivery, type NormalisedEvent } from '@landline/webhook';
import type { ApplicableEvent } from '../../src/apply.ts';

/** When the events of these tests happened unless they say otherwise, in unix milliseconds. */
export const AT = Date.UTC(2026, 0, 5, 9);

/** An event by what stands in its `data`, with the time and the id that it names for itself. */
export interface Told {
  type: string;
  at?: number;
  eventId?: string;
  data: Record<string, unknown>;
}

/** The body of an event, as a sender would print it. */
export function bodyOf({ type, at = AT, eventId, data }: Told): string {
  return JSON.stringify({ type, event_id: eventId, timestamp: new Date(at).toISOString(), data });
}

/** What the worker makes of a body. */
export function read(
  body: string,
  { encoding = 'utf8', signedAt = AT / 1000, reference }: Partial<Delivery> = {},
): NormalisedEvent {
  return normalise({ receivedAt: AT + 1500, signedAt, secretId: 'test', encoding, body, reference });
}

/** An event that can be applied. */
export function anEvent(told: Told): ApplicableEvent {
  return applicable(read(bodyOf(told)));
}

/** An event that must not be dead. */
export function applicable(event: NormalisedEvent): ApplicableEvent {
  if (event.outcome === 'dead') throw new Error(`dead: ${JSON.stringify(event.fault)}`);
  return event;
}
