import fc from 'fast-check';
import { anyEvent } from './event-sets.ts';
import { SIGNED_AT } from './event-parts.ts';
import type { ToldEvent } from './described-event.ts';

/** Events in a set, at most: of those that chance makes twice there is one. */
export const SET_EVENTS = 240;
/** Events that share three calls, two users and two numbers. */
const CIRCLE_EVENTS = 12;
/** One event in so many is large, if it is a message. */
const LARGE_ONE_IN = 60;
const KIBIBYTE = 1024;
const LEAST_LARGE_BYTES = 64 * KIBIBYTE;
const MOST_LARGE_BYTES = 1000 * KIBIBYTE;

/** Whose events: a word and a number that make a run's events its own. */
export interface LoadOptions {
  run: string;
  seed: number;
}

/**
 * Makes a set of events: of all types, with nulls, roles, languages, tool calls in transcripts and several accounts of one call; one
 * message in a hundred has 64 KiB to 1 MiB. In every second circle of calls no two events tell of the same message, tool call or command;
 * in the others they share ids and times, so that clocks decide. Each names its own time: another delivery's signature changes nothing.
 *
 * @param number  Of the set. No two sets share a call or a user, and the same arguments give the same set.
 */
export function toldLoad({ run, seed }: LoadOptions, number: number): ToldEvent[] {
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

/** The first `count` events of a load. */
export function firstOfLoad(options: LoadOptions, count: number): ToldEvent[] {
  const events: ToldEvent[] = [];
  for (let number = 0; events.length < count; number++) events.push(...toldLoad(options, number));
  return events.slice(0, count);
}

/** Names as the events have them, and others in their place. */
type Names = readonly (readonly [of: RegExp, replaced: string])[];

function namesOf({ calls, numbers, ids }: { calls: string; numbers: number; ids: string }): Names {
  return [
    [/\b(conv_|u)([1-9])\b/g, `$1${calls}_$2`],
    [/\bk([1-9])\b/g, `k${ids}_$1`],
    [/\+1202555010([12])\b/g, `+99${String(numbers).padStart(10, '0')}$1`],
  ];
}

/** The same with other names in all of its texts. */
function renamed<T>(value: T, names: Names): T {
  const rename = (each: unknown): unknown => {
    if (typeof each === 'string') return names.reduce((text, [of, replaced]) => text.replace(of, replaced), each);
    if (Array.isArray(each)) return each.map(rename);
    if (typeof each !== 'object' || each === null) return each;
    return Object.fromEntries(Object.entries(each).map(([name, inner]) => [name, rename(inner)]));
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a text stays a text, and all else is as it was
  return rename(value) as T;
}

/** A message of many words, where the event is one. */
function enlarged(event: ToldEvent, chance: number): ToldEvent {
  const message = event.tells?.message;
  if (event.tells === null || message === undefined) return event;
  const bytes = LEAST_LARGE_BYTES + ((chance * 7919 * KIBIBYTE) % (MOST_LARGE_BYTES - LEAST_LARGE_BYTES));
  const content = 'wörter '.repeat(bytes / 8);
  const body = event.body.replace(/"message":"[abc]"/, `"message":"${content}"`);
  const row = { ...message.row, content };
  return body === event.body ? event : { ...event, body, tells: { ...event.tells, message: { ...message, row } } };
}
