import fc from 'fast-check';
import { anyEvent } from './event-sets.ts';
import { SIGNED_AT } from './event-parts.ts';
import type { DescribedEvent } from './described-event.ts';

/** How many events a set has at most. Of equal events it keeps one. */
export const SET_EVENTS = 240;
/** How many events make a circle: they share three calls, two users and two numbers. */
const CIRCLE_EVENTS = 12;
/** Every 60th event is large, where it is a message. */
const LARGE_ONE_IN = 60;
const KIBIBYTE = 1024;
const LEAST_LARGE_BYTES = 64 * KIBIBYTE;
const MOST_LARGE_BYTES = 1000 * KIBIBYTE;

/** A word and a number that distinguish the events of one run from those of another. */
export interface LoadOptions {
  run: string;
  seed: number;
}

/**
 * Makes a set of events of all types, with nulls, roles, languages, tool calls in transcripts and several accounts of one call.
 *
 * - One message in a hundred has 64 KiB to 1 MiB.
 * - In every second circle each message, tool call and command belongs to one event. In the other circles events share ids
 *   and times, so that clocks decide.
 * - Each event names its own time, so that the signature of another delivery changes nothing.
 *
 * @param number  Number of the set. No two sets share a call or a user, and the same arguments give the same set.
 */
export function loadEvents({ run, seed }: LoadOptions, number: number): DescribedEvent[] {
  const sample = fc.sample(anyEvent, { seed: seed + number, numRuns: SET_EVENTS });
  const timed = sample.filter(({ at }) => at !== SIGNED_AT);
  const events = timed.map((event, i) => {
    const circle = Math.floor(i / CIRCLE_EVENTS);
    const own = { calls: `${run}_${number}_${circle}`, numbers: number * SET_EVENTS + circle };
    const named = renamed(event, namesOf({ ...own, ids: circle % 2 === 0 ? String(i) : 'shared' }));
    return i % LARGE_ONE_IN === 0 ? enlarged(named, number + i) : named;
  });
  return [...new Map(events.map((event) => [event.body, event])).values()];
}

/** Makes the first `count` events of a load. */
export function firstOfLoad(options: LoadOptions, count: number): DescribedEvent[] {
  const events: DescribedEvent[] = [];
  for (let number = 0; events.length < count; number++) events.push(...loadEvents(options, number));
  return events.slice(0, count);
}

/** Patterns of the names in the events, each with its replacement. */
type Names = readonly (readonly [of: RegExp, replaced: string])[];

function namesOf({ calls, numbers, ids }: { calls: string; numbers: number; ids: string }): Names {
  return [
    [/\b(conv_|u)([1-9])\b/g, `$1${calls}_$2`],
    [/\bk([1-9])\b/g, `k${ids}_$1`],
    [/\+1202555010([12])\b/g, `+99${String(numbers).padStart(10, '0')}$1`],
  ];
}

/** Returns the value with the names replaced in all of its texts. */
function renamed<T>(value: T, names: Names): T {
  const rename = (each: unknown): unknown => {
    if (typeof each === 'string') return names.reduce((text, [of, replaced]) => text.replace(of, replaced), each);
    if (Array.isArray(each)) return each.map(rename);
    if (typeof each !== 'object' || each === null) return each;
    return Object.fromEntries(Object.entries(each).map(([name, inner]) => [name, rename(inner)]));
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only the contents of texts change
  return rename(value) as T;
}

/** Returns the event with a long text, where it is a message; else as it is. */
function enlarged(event: DescribedEvent, chance: number): DescribedEvent {
  const message = event.facts?.message;
  if (event.facts === null || message === undefined) return event;
  const bytes = LEAST_LARGE_BYTES + ((chance * 7919 * KIBIBYTE) % (MOST_LARGE_BYTES - LEAST_LARGE_BYTES));
  const content = 'wörter '.repeat(bytes / 8);
  const body = event.body.replace(/"message":"[abc]"/, `"message":"${content}"`);
  const row = { ...message.row, content };
  return body === event.body ? event : { ...event, body, facts: { ...event.facts, message: { ...message, row } } };
}
