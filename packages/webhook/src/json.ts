/** Any JSON value. */
export type Json = string | number | boolean | null | Json[] | JsonObject;

/** A JSON object. Read it by `Object.hasOwn` or by its entries, never by a prototype's keys. */
export interface JsonObject {
  [key: string]: Json;
}

/** Returns whether a value is a JSON object (not an array, not null). */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The greatest depth of nesting, in levels. Some thousands of levels overflow the stack of JSON.stringify and of
 * Postgres.
 */
export const MAX_JSON_DEPTH = 256;

/** The reason why `parseJson` refuses a text. */
export type JsonFault = 'body_not_json' | 'json_too_deep';

/** The value that `parseJson` found, or the reason why it refused the text. */
export type ParsedJson = { ok: true; value: Json } | { ok: false; code: JsonFault };

/**
 * Parses JSON into a value that Postgres can store and that prints back to the same facts.
 *
 * - A number that a double cannot hold (an integer past 2^53, 1e400) becomes a string of its digits.
 * - U+0000 and lone surrogates become U+FFFD: Postgres refuses them in text and in jsonb.
 * - A byte order mark is skipped.
 *
 * @param text  JSON text.
 * @returns     The value, or the reason for the refusal; never throws.
 */
export function parseJson(text: string): ParsedJson {
  const source = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  const { depth, hugeNumbers } = needsScan(source) ? scan(source) : NOTHING_FOUND;
  if (depth > MAX_JSON_DEPTH) return { ok: false, code: 'json_too_deep' };
  try {
    let value: Json = JSON.parse(source);
    // Only after the text parsed as it stands: quoted, a number in the place of a key would become valid JSON.
    if (hugeNumbers.length > 0) value = JSON.parse(quote(source, hugeNumbers));
    const isStorable = !source.includes('\\u') || !UNSTORABLE_ESCAPE.test(source);
    return { ok: true, value: isStorable ? value : storable(value) };
  } catch {
    return { ok: false, code: 'body_not_json' };
  }
}

/** The escape of U+0000 or of a surrogate. In valid JSON a U+0000 and a lone surrogate can only be escapes. */
const UNSTORABLE_ESCAPE = /\\u(?:0000|d[89a-f])/i;

function storable(value: Json): Json {
  if (typeof value === 'string') return value.toWellFormed().replaceAll('\0', '\ufffd');
  if (Array.isArray(value)) return value.map(storable);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [storable(key), storable(item)]));
}

interface Scan {
  depth: number;
  /** Start and end of each number that a double cannot hold. */
  hugeNumbers: [number, number][];
}

const NOTHING_FOUND: Scan = { depth: 0, hugeNumbers: [] };

/** Occurs in each number that a double cannot hold: an integer past 2^53 has 16 digits, and a number with fewer needs an exponent of three. */
const MAY_BE_HUGE = /\d{16}|\d[eE][-+]?\d{3}/;

/** Tells whether a text may nest too deeply or may hold a number that a double cannot hold. Most texts cannot, and are not scanned. */
function needsScan(text: string): boolean {
  return hasManyBrackets(text) || MAY_BE_HUGE.test(text);
}

function hasManyBrackets(text: string): boolean {
  if (text.length <= MAX_JSON_DEPTH) return false;
  let count = 0;
  for (const bracket of '{[') {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) {
      if (++count > MAX_JSON_DEPTH) return true;
    }
  }
  return false;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Scans the text once and skips its strings, which are most of an event. */
function scan(text: string): Scan {
  const found: Scan = { depth: 0, hugeNumbers: [] };
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) i = endOfString(text, i);
    else if (c === 0x7b || c === 0x5b) found.depth = Math.max(found.depth, ++depth);
    else if (c === 0x7d || c === 0x5d) depth--;
    else if (c === 0x2d || (c >= 0x30 && c <= 0x39)) {
      const end = endOfNumber(text, i);
      if (end - i >= SHORTEST_HUGE && !isExact(text.slice(i, end))) found.hugeNumbers.push([i, end]);
      i = end - 1;
    }
  }
  return found;
}

/** Returns the index of the quote that closes the string opened at `start`, or the text's length. */
export function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = end;
    while (text.charCodeAt(slashes - 1) === BACKSLASH) slashes--;
    if ((end - slashes) % 2 === 0) return end;
  }
  return text.length;
}

/** The length of `1e309`, the shortest number that a double cannot hold. */
const SHORTEST_HUGE = 5;
const NUMBER_CHARACTERS = /[-+.\deE]*/y;

function endOfNumber(text: string, start: number): number {
  NUMBER_CHARACTERS.lastIndex = start;
  NUMBER_CHARACTERS.test(text);
  return NUMBER_CHARACTERS.lastIndex;
}

const INTEGER = /^-?\d+$/;
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * Returns whether a double holds the number exactly. True also for a text that is no number: JSON.parse refuses that
 * text.
 */
function isExact(digits: string): boolean {
  if (!JSON_NUMBER.test(digits)) return true;
  const value = Number(digits);
  return INTEGER.test(digits) ? Number.isSafeInteger(value) : Number.isFinite(value);
}

function quote(text: string, ranges: readonly [number, number][]): string {
  let quoted = '';
  let from = 0;
  for (const [start, end] of ranges) {
    quoted += `${text.slice(from, start)}"${text.slice(start, end)}"`;
    from = end;
  }
  return quoted + text.slice(from);
}
