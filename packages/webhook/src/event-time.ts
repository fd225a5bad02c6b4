import type { Json } from './json.ts';

/** The first millisecond of the year 2000. A smaller number is a number of seconds into the call, or a fault. */
const MIN_TIME_MS = Date.UTC(2000, 0, 1);
/**
 * The last millisecond of the year 9999. A later time is a fault.
 */
const MAX_TIME_MS = 253_402_300_799_999;
/**
 * The least number that counts as milliseconds. As seconds it is the year 5138, as milliseconds 1973: no call is in
 * either.
 */
const FIRST_MILLISECONDS = 100_000_000_000;
const NUMERIC = /^\d+(?:\.\d+)?$/;
/** Date, time, fraction and zone, as ISO 8601, Python and Postgres print them. */
const ISO = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2})?(?:[.,](\d+))?\s?(Z|[+-]\d{2}(?::?\d{2})?)?)?$/i;

/**
 * Reads a time in any form that senders use: unix seconds, unix milliseconds or ISO 8601. A number may come as digits.
 * An ISO time without a zone is UTC.
 *
 * @returns  Unix milliseconds, whole; undefined where the value is no time between the years 2000 and 9999.
 */
export function readTime(value: Json | undefined): number | undefined {
  if (typeof value === 'number') return fromNumber(value);
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  return NUMERIC.test(text) ? fromNumber(Number(text)) : fromIso(text);
}

/**
 * Reads a number of unix seconds, and no other form of a time.
 *
 * @returns  Unix milliseconds, whole; undefined where the value is no time between the years 2000 and 9999.
 */
export function readUnixSeconds(value: Json | undefined): number | undefined {
  return typeof value === 'number' ? inRange(Math.round(value * 1000)) : undefined;
}

/**
 * Adds seconds to a time.
 *
 * @param startMs  Unix milliseconds.
 * @returns        Unix milliseconds, whole; undefined where the seconds are negative or lead past the year 9999.
 */
export function addSeconds(startMs: number, seconds: number): number | undefined {
  return seconds >= 0 ? inRange(startMs + Math.round(seconds * 1000)) : undefined;
}

/** Reads an ISO time. `Date.parse` reads some texts in the machine's time zone, so it is given one form only. */
function fromIso(text: string): number | undefined {
  const [, date, minutes = '00:00', seconds = ':00', fraction = '0', zone = 'Z'] = ISO.exec(text) ?? [];
  if (date === undefined) return undefined;
  const offset = zone.length === 3 ? `${zone}:00` : zone.toUpperCase();
  return inRange(Date.parse(`${date}T${minutes}${seconds}.${fraction}${offset}`));
}

function fromNumber(value: number): number | undefined {
  return inRange(Math.round(value < FIRST_MILLISECONDS ? value * 1000 : value));
}

function inRange(ms: number): number | undefined {
  return ms >= MIN_TIME_MS && ms <= MAX_TIME_MS ? ms : undefined;
}
