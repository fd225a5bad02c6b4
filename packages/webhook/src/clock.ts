/**
 * When and by whom a value was written, as one comparable word: 32 hex digits, one byte of authority, six of time, nine
 * of the ledger id. Of two writes the one with the greater clock stands. Because no two events have the same clock, the
 * outcome does not depend on the order in which they are applied.
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

const NO_DIGITS = '0'.repeat(18);

/** The longest time that six bytes hold. */
const MAX_TIME = 2 ** 48 - 1;

/** A clock under which the latest write stands. */
export function latestClock(authority: Authority, timeMs: number, eventId: string): Clock {
  return clock(AUTHORITY[authority], timeMs, eventId);
}

/** A clock under which the earliest write stands: time runs backwards in it. */
export function earliestClock(authority: Authority, timeMs: number, eventId: string): Clock {
  return clock(AUTHORITY[authority], MAX_TIME - timeMs, eventId);
}

/** A clock under which the value with the highest rank stands, whenever it was written; for values that only go up. */
export function rankClock(rank: number): Clock {
  return clock(rank, 0, '');
}

/** The same clock with no more authority than `most`. */
export function cappedClock(most: Authority, written: Clock): Clock {
  const authority = firstByte(AUTHORITY[most]);
  return written.slice(0, 2) > authority ? authority + written.slice(2) : written;
}

function clock(first: number, time: number, eventId: string): Clock {
  return firstByte(first) + time.toString(16).padStart(12, '0') + digitsOf(eventId);
}

// An event makes several clocks, one after another.
let lastId = '';
let lastDigits = NO_DIGITS;

/** The first nine bytes of a ledger id, in hex; zeros for none. */
function digitsOf(eventId: string): string {
  if (eventId !== lastId) {
    lastDigits = (eventId.slice(0, 8) + eventId.slice(9, 13) + eventId.slice(14, 18) + eventId.slice(19, 21)).padEnd(
      NO_DIGITS.length,
      '0',
    );
    lastId = eventId;
  }
  return lastDigits;
}

function firstByte(value: number): string {
  return value.toString(16).padStart(2, '0');
}
