/** How many events match. */
export interface EventCounts {
  total: number;
  /** By type; `unknown` for those without. */
  byType: Readonly<Record<string, number>>;
  byOutcome: Readonly<Record<string, number>>;
  /** When the first and the last of them came, in unix milliseconds; null where there is none. */
  first: number | null;
  last: number | null;
}

/** The counts of no event. */
export const NOTHING_COUNTED: EventCounts = { total: 0, byType: {}, byOutcome: {}, first: null, last: null };

/** Events of one type and outcome. */
interface Counted {
  type: string | null;
  outcome: string;
  events: number;
  first: number;
  last: number;
}

/** Returns the counts with these events added. */
export function addCounts(counts: EventCounts, { type, outcome, events, first, last }: Counted): EventCounts {
  return {
    total: counts.total + events,
    byType: addTo(counts.byType, type ?? 'unknown', events),
    byOutcome: addTo(counts.byOutcome, outcome, events),
    first: Math.min(counts.first ?? first, first),
    last: Math.max(counts.last ?? last, last),
  };
}

function addTo(counts: Readonly<Record<string, number>>, name: string, events: number): Record<string, number> {
  const before = Object.hasOwn(counts, name) ? counts[name] : undefined;
  // A type comes from outside, and may be called __proto__.
  return Object.fromEntries([...Object.entries(counts), [name, (before ?? 0) + events]]);
}
