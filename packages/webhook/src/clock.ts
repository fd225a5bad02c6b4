/**
 * When and by whom a value was written, as one comparable word of 32 hex digits: one byte of authority, six of time, five
 * of how long after that time the event was received, four of the ledger id. Of two writes the one with the greater clock
 * stands: so events that happened at one time are told apart by their receipt. Because no two events have the same clock,
 * the outcome does not depend on the order in which they are applied.
 */
export type Clock = string;

/**
 * How much a source of a value is to be believed; the first byte of its clock.
 *
 * `seen` is only implied by an event, `configured` is a setting rather than an observation, `live` was observed while
 * the call went on, `final` stands in the provider's own account of the finished call.
 */
export const AUTHORITY = { seen: 0, configured: 1, live: 2, final: 3 } as const;

/** A name of `AUTHORITY`. */
export type Authority = keyof typeof AUTHORITY;

/** The longest time that six bytes hold. */
const MAX_TIME = 2 ** 48 - 1;

/** The event that writes: its ledger id, and when it was received, in unix milliseconds. */
export interface Writer {
  id: string;
  receivedAt: number;
}

/** A clock under which the latest write stands. */
export function latestClock(authority: Authority, timeMs: number, writer: Writer): Clock {
  return clock(AUTHORITY[authority], timeMs, tieOf(timeMs, writer));
}

/** A clock under which the earliest write stands: time runs backwards in it. */
export function earliestClock(authority: Authority, timeMs: number, writer: Writer): Clock {
  return clock(AUTHORITY[authority], MAX_TIME - timeMs, tieOf(timeMs, writer));
}

/** A clock under which the value with the highest rank stands, whenever it was written; for values that only go up. */
export function rankClock(rank: number): Clock {
  return clock(rank, 0, NO_TIE);
}

/** A clock above those of all lower ranks; of one rank the latest write stands. */
export function rankedLatestClock(rank: number, timeMs: number, writer: Writer): Clock {
  return clock(rank, timeMs, tieOf(timeMs, writer));
}

/** The same clock with no more authority than `most`. */
export function cappedClock(most: Authority, written: Clock): Clock {
  const authority = firstByte(AUTHORITY[most]);
  return written.slice(0, 2) > authority ? authority + written.slice(2) : written;
}

function clock(first: number, time: number, tie: string): Clock {
  return firstByte(first) + hex(time, 12) + tie;
}

const NO_TIE = '0'.repeat(18);

/** The middle of what five bytes hold: a sender's clock may be ahead of ours, and what is told years later is told apart. */
const SAME_TIME = 2 ** 39;

/** Nine bytes that order the events of one time: the later received is the greater. */
function tieOf(timeMs: number, { id, receivedAt }: Writer): string {
  const delay = Math.min(Math.max(receivedAt - timeMs + SAME_TIME, 0), 2 ** 40 - 1);
  return hex(delay, 10) + id.slice(0, 8);
}

/** In two halves: what fits into 31 bits is written four times as fast, and each value of an event has a clock. */
function hex(value: number, digits: number): string {
  const high = Math.floor(value / HALF);
  return high.toString(16).padStart(digits - 6, '0') + (value - high * HALF + HALF).toString(16).slice(1);
}

const HALF = 2 ** 24;

function firstByte(value: number): string {
  return value < 16 ? `0${value.toString(16)}` : value.toString(16);
}
