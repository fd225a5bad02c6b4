/**
 * The order of two writes of one value, as a comparable text of 32 hex digits. Of two writes the one with the greater
 * clock stands.
 *
 * | bytes | hold |
 * | --- | --- |
 * | 1 | the authority |
 * | 6 | the event's time |
 * | 5 | the delay from that time until the receipt; the receipt orders events of one time |
 * | 4 | the beginning of the ledger id |
 *
 * No two events have the same clock, so the outcome does not depend on the order in which the worker applies events.
 *
 * What was fetched from the provider's API never outranks a webhook of the same time: its delay is in the lowest eighth, and that of a webhook above.
 */
export type Clock = string;

/**
 * The authority of a source, as the first byte of a clock. A greater authority wins, regardless of time.
 *
 * - `seen`: the event only implies the value.
 * - `configured`: the value is a setting, not an observation.
 * - `live`: a sender observed the value during the call.
 * - `final`: the provider's account of the finished call has the value.
 */
export const AUTHORITY = { seen: 0, configured: 1, live: 2, final: 3 } as const;

/** A name of `AUTHORITY`. */
export type Authority = keyof typeof AUTHORITY;

/** The greatest time that six bytes hold, in unix milliseconds. */
const MAX_TIME = 2 ** 48 - 1;

/** The event that writes: its ledger id, and its receipt in unix milliseconds. */
export interface Writer {
  id: string;
  receivedAt: number;
  /** Whether it was fetched from the provider's API: its delivery has the origin `backfill`. */
  isFetched?: boolean | undefined;
}

/** Returns a clock under which the latest write stands. */
export function latestClock(authority: Authority, timeMs: number, writer: Writer): Clock {
  return clock(AUTHORITY[authority], timeMs, tieOf(timeMs, writer));
}

/** Returns a clock under which the earliest write stands: the time counts backwards. */
export function earliestClock(authority: Authority, timeMs: number, writer: Writer): Clock {
  return clock(AUTHORITY[authority], MAX_TIME - timeMs, tieOf(timeMs, writer));
}

/**
 * Returns a clock under which the value with the highest rank stands, regardless of time. For values that only
 * rise.
 */
export function rankClock(rank: number): Clock {
  return clock(rank, 0, NO_TIE);
}

/** Returns a clock above the clocks of all lower ranks. Within one rank the latest write stands. */
export function rankedLatestClock(rank: number, timeMs: number, writer: Writer): Clock {
  return clock(rank, timeMs, tieOf(timeMs, writer));
}

/** Returns the clock with its authority lowered to `most`, where it is greater. */
export function cappedClock(most: Authority, written: Clock): Clock {
  const authority = firstByte(AUTHORITY[most]);
  return written.slice(0, 2) > authority ? authority + written.slice(2) : written;
}

/** Returns the greatest clock of an authority, and so the bound between it and the next one. */
export function greatestClockOf(authority: Authority): Clock {
  return firstByte(AUTHORITY[authority]) + 'f'.repeat(30);
}

function clock(first: number, time: number, tie: string): Clock {
  return firstByte(first) + hex(time, 12) + tie;
}

const NO_TIE = '0'.repeat(18);

/**
 * The zero of a clock's five bytes of delay, in milliseconds: the middle of their range, some 17 years on either side.
 * A sender's clock may be ahead of the receiver's, so a delay may be negative.
 */
const SAME_TIME = 2 ** 39;

/** The first delay of what the provider sent, some 13 years before the event's time. Below it are four years of delays of what was fetched. */
const FIRST_SENT = 2 ** 37;

/**
 * Returns nine bytes that order events of one time. The event received later has the greater bytes; one that was fetched has smaller bytes than all that
 * were not.
 */
function tieOf(timeMs: number, { id, receivedAt, isFetched }: Writer): string {
  const after = receivedAt - timeMs;
  const delay =
    isFetched === true
      ? Math.min(Math.max(after, 0), FIRST_SENT - 1)
      : Math.min(Math.max(after + SAME_TIME, FIRST_SENT), 2 ** 40 - 1);
  return hex(delay, 10) + id.slice(0, 8);
}

/**
 * Prints a number as hex digits, in two halves. V8 prints integers below 2^31 four times as fast, and each value of an
 * event has a clock.
 */
function hex(value: number, digits: number): string {
  const high = Math.floor(value / HALF);
  return high.toString(16).padStart(digits - 6, '0') + (value - high * HALF + HALF).toString(16).slice(1);
}

const HALF = 2 ** 24;

function firstByte(value: number): string {
  return value < 16 ? `0${value.toString(16)}` : value.toString(16);
}
