import type { EventState } from '@landline/store';
import { WAITS, type FetchOptions, type HandedEvent } from './fetching.ts';
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
  const ids = events.map(({ eventId }) => eventId);
  const states = await settle(ids, { context, ledger: ports.ledger, before, settleMs: ports.settleMs });
  const applied = new Set<string>();
  for (const { conversationId, eventId } of events) {
    const state = states.get(eventId);
    // Its account may have been fetched before its audio.
    const isFetched = outcomes.get(conversationId)?.isFetched ?? false;
    if (state === undefined) {
      handedOver.note(conversationId, eventId);
      outcomes.set(conversationId, { verdict: 'missing', reason: WAITS, isFetched });
    } else if (state.outcome === 'applied') applied.add(conversationId);
    else outcomes.set(conversationId, { verdict: 'unfetchable', reason: reasonOf(state), isFetched });
  }
  return applied;
}

function reasonOf({ outcome, code }: EventState): string {
  return `what the provider gave cannot be applied (${code ?? outcome})`;
}
