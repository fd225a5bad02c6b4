import type { Ledger } from '@landline/store';
import { placesOf, type HandedEvent, type Place, type PlacesPorts } from './places.ts';

/** How many calls are kept in mind: the newest. */
const MOST_CALLS = 10_000;

/** Who knows where an event is. */
export interface HandedOverPorts extends PlacesPorts {
  ledger: Pick<Ledger, 'states'>;
}

/**
 * Remembers, from run to run, what was handed over and was not applied in time: an account in the queue, or audio that waits in this process's spool
 * for its storage. As long as it is there it is not fetched again. A process that starts anew does not know, and fetches it once more: it is a duplicate.
 */
export interface HandedOver {
  /** Notes that an event of a call was not applied in time. */
  note(event: HandedEvent): void;
  /**
   * Returns which of these calls have an event that is still to be applied, and where it is. What is nowhere any more is forgotten.
   *
   * @throws StoreError; what the queue throws while Redis is away
   */
  waiting(conversationIds: readonly string[], ports: HandedOverPorts): Promise<Map<string, Place>>;
}

/** Makes an empty memory. */
export function createHandedOver(): HandedOver {
  const events = new Map<string, HandedEvent>();

  return {
    note(event) {
      const { conversationId } = event;
      events.delete(conversationId);
      events.set(conversationId, event);
      const [oldest] = events.size > MOST_CALLS ? events.keys() : [];
      if (oldest !== undefined) events.delete(oldest);
    },
    async waiting(conversationIds, ports) {
      const held = conversationIds.flatMap((id) => events.get(id) ?? []);
      if (held.length === 0) return new Map();
      const places = await placesOf(held, ports);
      const states = await ports.ledger.states(held.map(({ eventId }) => eventId));
      const waiting = new Map<string, Place>();
      for (const { conversationId, eventId } of held) {
        const place = places.get(eventId);
        if (place !== undefined && !states.has(eventId)) waiting.set(conversationId, place);
        else events.delete(conversationId);
      }
      return waiting;
    },
  };
}
