/** Any JSON value. */
export type Json = string | number | boolean | null | Json[] | JsonObject;

/** A JSON object; never has a prototype's keys taken for its own (read it with `Object.hasOwn` or entries). */
export interface JsonObject {
  [key: string]: Json;
}

/** Whether a value is a JSON object (not an array, not null). */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Nesting deeper than this is refused: JSON.stringify and Postgres overflow their stacks some thousands down. */
export const MAX_JSON_DEPTH = 256;

/** Why a text is not JSON that we take. */
export type JsonFault = 'body_not_json' | 'json_too_deep';

/** What `parseJson` made of a text. */
export type ParsedJson = { ok: true; value: Json } | { ok: false; code: JsonFault };

/**
 * Parses JSON so that what comes out can rest in Postgres and prints back to the same facts.
 *
 * Numbers that a double cannot hold (integers past 2^53, 1e400) become strings of their digits; U+0000 and lone
 * surrogates, which Postgres takes neither in text nor in jsonb, become U+FFFD. A byte order mark is passed over.
 *
 * @param text  JSON text.
 * @returns     The value, or why there is none; never throws.
 */
export function parseJson(text: string): ParsedJson {
  const source = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  const { depth, hugeNumbers } = scan(source);
  if (depth > MAX_JSON_DEPTH) return { ok: false, code: 'json_too_deep' };
  try {
    let value: Json = JSON.parse(source);
    // Only of what is JSON as it stands: quoted, a number in the place of a key would pass for one.
    if (hugeNumbers.length > 0) value = JSON.parse(quote(source, hugeNumbers));
    return { ok: true, value: UNSTORABLE_ESCAPE.test(source) ? storable(value) : value };
  } catch {
    return { ok: false, code: 'body_not_json' };
  }
}

/** In valid JSON a U+0000 can only stand as an escape, and so can a surrogate without its other half. */
const UNSTORABLE_ESCAPE = /\\u(?:0000|d[89a-f])/i;

function storable(value: Json): Json {
  if (typeof value === 'string') return value.toWellFormed().replaceAll('\0', '\ufffd');
  if (Array.isArray(value)) return value.map(storable);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [storable(key), storable(item)]));
}

interface Scan {
  depth: number;
  /** Start and end of each number that a double does not hold. */
  hugeNumbers: [number, number][];
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** One walk over the text outside of its strings, which are jumped over: most of an event is strings. */
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

/** The index of the quote that closes the string opened at `start`, or the text's end. */
export function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = end;
    while (text.charCodeAt(slashes - 1) === BACKSLASH) slashes--;
    if ((end - slashes) % 2 === 0) return end;
  }
  return text.length;
}

/** `1e309`, the shortest number that a double does not hold. */
const SHORTEST_HUGE = 5;
const NUMBER_CHARACTERS = /[-+.\deE]*/y;

function endOfNumber(text: string, start: number): number {
  NUMBER_CHARACTERS.lastIndex = start;
  NUMBER_CHARACTERS.test(text);
  return NUMBER_CHARACTERS.lastIndex;
}

const INTEGER = /^-?\d+$/;
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** What is no number at all is left as it stands, for JSON.parse to refuse. */
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
