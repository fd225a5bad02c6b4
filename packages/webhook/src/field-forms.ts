import { isObject, type Json, type JsonObject } from './json.ts';

/** Longer than this a text is no identifier: Postgres could not index it. In characters. */
const MAX_KEY_LENGTH = 256;

/** The value itself. */
export function asItIs(value: Json): Json {
  return value;
}

/** An object; undefined for all else. */
export function asObject(value: Json): JsonObject | undefined {
  return isObject(value) ? value : undefined;
}

/** An array; undefined for all else. */
export function asArray(value: Json): Json[] | undefined {
  return Array.isArray(value) ? value : undefined;
}

/** true or false; undefined for all else. */
export function asBoolean(value: Json): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}

/** A non-empty text; numbers and booleans are written out, and all else is undefined. */
export function asText(value: Json): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** `asText`; undefined also for a text that is too long to be a key. */
export function asKey(value: Json): string | undefined {
  const text = asText(value);
  return text !== undefined && text.length <= MAX_KEY_LENGTH ? text : undefined;
}

const NUMERIC = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i;

/** A finite number, or a text that is one as a number; undefined for all else. */
export function asNumber(value: Json): number | undefined {
  const number = typeof value === 'string' && NUMERIC.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}
