import { quoteText } from '../connection/database-url.ts';

// What tells two events' faults apart, in SQL alone. It is computed when a dead event is recorded, and stands in its `error`: no column and no index holds
// it, so an event that is applied costs nothing more. An older version wrote none: of those events it is computed when it is asked for.

/** The characters of a message that are read, and those of a pattern. */
const MOST_READ = 2_000;
const MOST_CHARACTERS = 300;

/** Words that name something, where they begin. No class of characters but ASCII: those of the locale cost three times as much. */
const NAMES = [
  String.raw`conv_[A-Za-z0-9_-]+`,
  // Other ids with a prefix. Names of fields have no digits.
  String.raw`[A-Za-z]+_[A-Za-z0-9_-]*[0-9][A-Za-z0-9_-]*`,
  // Ids without one: four digits or more.
  String.raw`(?:[A-Za-z_]*[0-9]){4}[A-Za-z0-9_]*`,
  // Hex with a digit, hex without one, uuids.
  String.raw`(?:0[xX])?[0-9a-fA-F]*[0-9][0-9a-fA-F]*`,
  String.raw`[0-9a-fA-F]{8,}(?:-[0-9a-fA-F]{4,})*`,
];

/** What is variable in a message, as Postgres' regular expressions say it: that which begins first, and of those the longest. */
const VARIABLE = [
  // What is quoted. A quotation may be cut off.
  String.raw`"[^"]*(?:"|$)`,
  String.raw`“[^”]*(?:”|$)`,
  String.raw`«[^»]*(?:»|$)`,
  '`[^`]*`',
  // No apostrophe.
  String.raw`(?<!\w)'[^']*'(?!\w)`,
  // Postgres: Key (id)=(7) already exists.
  String.raw`=\([^)]*\)`,
  String.raw`\m(?:${NAMES.join('|')})`,
  // Numbers, times and addresses.
  String.raw`[0-9]+(?:[.,:/T-]*[0-9]+)*Z?`,
  '[٠-٩۰-۹]+',
].join('|');

/** What stands in a pattern for anything variable. */
const PLACEHOLDER = '…';

/** The code of a dead event's fault, over its `error` as jsonb. */
export function codeOf(error: string): string {
  return `COALESCE(${error} ->> 'code', 'unknown')`;
}

/** The message of a dead event's fault without its variable parts, over its `error`. It costs some 50 µs. */
export function patternOf(error: string): string {
  const message = `left(COALESCE(${error} ->> 'message', ''), ${MOST_READ})`;
  return `left(regexp_replace(${message}, ${quoteText(VARIABLE)}, '${PLACEHOLDER}', 'g'), ${MOST_CHARACTERS})`;
}

/** Computes the fingerprint of a dead event, over its `error`: 12 hex characters. */
export function computedFingerprint(error: string): string {
  const text = `${codeOf(error)} || chr(10) || ${patternOf(error)}`;
  return `left(encode(sha256(convert_to(${text}, 'UTF8')), 'hex'), 12)`;
}

/** The fingerprint of a dead event, over its `error`: as it was recorded, else computed. */
export function fingerprintOf(error: string): string {
  return `COALESCE(${error} ->> 'fingerprint', ${computedFingerprint(error)})`;
}
