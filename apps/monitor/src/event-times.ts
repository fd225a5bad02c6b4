/**
 * Why times are made: of all messages of the monitoring socket, mcp_tool_call alone has a time. The time at which a message arrives is none,
 * because after connecting the last hundred come again, in no sure order. But `event_id` counts upwards. So an event's time is the call's
 * start and a few milliseconds for each number: the order is right, the bytes are always the same, and the real times come with the
 * transcript.
 *
 * Several events may have one number, so each number has places enough. A caller's words come before the answer, an answer before its
 * correction, a tool's request before its response; and all of them before the next number.
 */
const PLACES = ['user', 'request', 'client', 'response', 'agent', 'correction'] as const;

/** The place of an event among those with the same `event_id`. */
export type Place = (typeof PLACES)[number];

/** The greatest number that counts, so that no time is later than a call can be (16 hours and 40 minutes after its start). */
const MAX_NUMBER = 10_000_000;

/** How far from the call's start the time of a tool may be, in ms. A greater distance is a clock or a unit that is wrong. */
const MAX_DISTANCE_MS = 86_400_000;

/** The least number that is milliseconds; below it, it is seconds. */
const FIRST_MILLISECONDS = 100_000_000_000;

/**
 * Makes the time of an event that has none.
 *
 * @param startedAt  The call's start, unix milliseconds.
 * @param number     The provider's `event_id`. Where it is no number, the event has the time of the first.
 */
export function timeOf(startedAt: number, number: string | undefined, place: Place): number {
  const count = number !== undefined && /^\d{1,8}$/.test(number) ? Math.min(Number(number), MAX_NUMBER) : 0;
  return startedAt + count * PLACES.length + PLACES.indexOf(place);
}

/** Reads a time of the provider: unix seconds, unix milliseconds or ISO 8601 (UTC where it names no zone). Returns unix milliseconds. */
export function readTime(startedAt: number, value: unknown): number | undefined {
  const time = Math.round(typeof value === 'number' ? fromNumber(value) : fromText(value));
  return Math.abs(time - startedAt) <= MAX_DISTANCE_MS ? time : undefined;
}

function fromNumber(value: number): number {
  return value < FIRST_MILLISECONDS ? value * 1000 : value;
}

/** Returns NaN for a text that is no time. Without a zone `Date.parse` would read the machine's. */
function fromText(value: unknown): number {
  if (typeof value !== 'string') return NaN;
  return Date.parse(/(?:Z|[+-]\d{2}:?\d{2})$/i.test(value) ? value : `${value}Z`);
}
