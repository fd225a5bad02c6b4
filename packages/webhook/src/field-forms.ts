import { isObject, type Json, type JsonObject } from './json.ts';

/** The greatest length of a key, in characters. Postgres cannot index a much longer text. */
const MAX_KEY_LENGTH = 256;

/** Returns the value unchanged. */
export function asItIs(value: Json): Json {
  return value;
}

/** Returns an object; undefined for any other value. */
export function asObject(value: Json): JsonObject | undefined {
  return isObject(value) ? value : undefined;
}

/** Returns an array; undefined for any other value. */
export function asArray(value: Json): Json[] | undefined {
  return Array.isArray(value) ? value : undefined;
}

/** Returns a boolean; undefined for any other value. */
export function asBoolean(value: Json): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}

/** Returns a non-empty text. Numbers and booleans become text; any other value is undefined. */
export function asText(value: Json): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Returns a text as `asText` does; undefined also where the text is too long to be a key. */
export function asKey(value: Json): string | undefined {
  const text = asText(value);
  return text !== undefined && text.length <= MAX_KEY_LENGTH ? text : undefined;
}

const NUMERIC = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i;

/** Returns a finite number, also one that a text holds; undefined for any other value. */
export function asNumber(value: Json): number | undefined {
  const number = typeof value === 'string' && NUMERIC.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}
