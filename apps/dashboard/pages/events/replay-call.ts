import type { EventItem } from '../../src/api/contract/events.ts';

/** What of an event a filter can name. */
type Covered = Pick<EventItem, 'id' | 'type' | 'conversation_id' | 'outcome' | 'received_at'>;

/** The closest filter that has certain events, and how many others it has. */
export interface Cover {
  filter: Record<string, string>;
  others: number;
}

/**
 * Finds the closest filter for a replay of certain events: no word of a filter names events one by one.
 *
 * The filter is that of the list, from the first of them to the last, with what they have in common. `listed` is what the list
 * shows of its filter, so the others between them are counted without asking.
 */
export function coverOf(
  chosen: readonly Covered[],
  listed: readonly Covered[],
  listFilter: Readonly<Record<string, string>> = {},
): Cover {
  const times = chosen.map(({ received_at }) => Date.parse(received_at));
  const since = Math.min(...times);
  const until = Math.max(...times) + 1;
  const common = {
    type: sameOf(chosen.map(({ type }) => type)),
    conversation: sameOf(chosen.map(({ conversation_id: conversation }) => conversation)),
    outcome: sameOf(chosen.map(({ outcome }) => outcome)),
  };
  const filter: Record<string, string> = { ...listFilter };
  for (const [word, value] of Object.entries(common)) if (value !== null) filter[word] = value;
  filter['since'] = new Date(since).toISOString();
  filter['until'] = new Date(until).toISOString();
  const ids = new Set(chosen.map(({ id }) => id));
  const others = listed.filter((event) => {
    const at = Date.parse(event.received_at);
    if (ids.has(event.id) || at < since || at >= until) return false;
    return (
      (common.type === null || event.type === common.type) &&
      (common.conversation === null || event.conversation_id === common.conversation) &&
      (common.outcome === null || event.outcome === common.outcome)
    );
  });
  return { filter, others: others.length };
}

/** Returns the value that all share; null where they differ or have none. */
function sameOf(values: readonly (string | null)[]): string | null {
  const [first = null, ...rest] = values;
  return rest.every((value) => value === first) ? first : null;
}
