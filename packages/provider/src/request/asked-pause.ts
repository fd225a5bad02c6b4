/** A greater number is a time in unix seconds: as a pause it would be 31 years. */
const FIRST_UNIX_SECONDS = 1_000_000_000;
const NUMERIC = /^\d+(?:\.\d+)?$/;

/**
 * Reads how long the provider asks to wait: `Retry-After`, which is seconds or a date, else of a 429 `X-RateLimit-Reset`, which is unix seconds or
 * seconds. Other answers may have the latter for the sake of information.
 *
 * @param now  Unix milliseconds.
 * @returns    Milliseconds; undefined where neither header names a time to come.
 */
export function askedPause({ status, headers }: Response, now: number): number | undefined {
  const asked = readPause(headers.get('retry-after'), now);
  return status === 429 ? (asked ?? readPause(headers.get('x-ratelimit-reset'), now)) : asked;
}

function readPause(text: string | null, now: number): number | undefined {
  const value = text?.trim() ?? '';
  const ms = NUMERIC.test(value) ? fromNumber(Number(value), now) : Date.parse(value) - now;
  return Number.isFinite(ms) && ms > 0 ? ms : undefined;
}

function fromNumber(seconds: number, now: number): number {
  return seconds * 1000 - (seconds >= FIRST_UNIX_SECONDS ? now : 0);
}
