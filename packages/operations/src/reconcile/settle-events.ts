import type { EventState } from '@landline/store';
import type { FetchOptions } from './fetching.ts';
import { LOST, REASONS, type HandedEvent } from './places.ts';
import { settle } from './settle.ts';

/** With what events are waited for. */
interface SettleEventsOptions extends FetchOptions {
  /** What was known of them before they were enqueued. */
  before: ReadonlyMap<string, EventState>;
}

/**
 * Waits for events that were handed over, and notes the outcome of the calls whose event was not applied. Returns the ids of the calls whose event was.
 */
export async function settleEvents(
  events: readonly HandedEvent[],
  { fetching: { context, ports, handedOver }, outcomes, before }: SettleEventsOptions,
): Promise<Set<string>> {
  const { states, places } = await settle(events, { context, ports, before });
  const applied = new Set<string>();
  for (const event of events) {
    const { conversationId, eventId } = event;
    const state = states.get(eventId);
    // Its account may have been fetched before its audio.
    const isFetched = outcomes.get(conversationId)?.isFetched ?? false;
    if (state === undefined) {
      const place = places.get(eventId);
      if (place !== undefined) handedOver.note(event);
      outcomes.set(conversationId, {
        verdict: 'missing',
        reason: place === undefined ? LOST : REASONS[place],
        isFetched,
      });
    } else if (state.outcome === 'applied') applied.add(conversationId);
    // Of what is fetched only events of erased conversations are.
    else if (state.outcome === 'ignored') outcomes.set(conversationId, { verdict: 'erased', isFetched: false });
    else outcomes.set(conversationId, { verdict: 'unfetchable', reason: reasonOf(state), isFetched });
  }
  return applied;
}

function reasonOf({ outcome, code }: EventState): string {
  return `what the provider gave cannot be applied (${code ?? outcome})`;
}
