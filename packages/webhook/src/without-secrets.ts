import { isObject, type Json, type JsonObject } from './json.ts';

/** The prefix by which the provider marks a dynamic variable that must not be shown. */
const SECRET = 'secret__';

/** A letter of that prefix as an escape. */
const ESCAPED_MARK = /\\u00(?:73|65|63|72|74|5f)/i;

/**
 * Removes secret dynamic variables from a JSON value, at any depth:
 *
 * - keys that begin with `secret__`;
 * - the values in a note that such a variable was updated (`dynamic_variable_updates` of a tool result).
 *
 * @param text  The text that `value` was parsed from. Most texts have no such variable, and their values are not
 *              traversed.
 */
export function withoutSecrets(value: JsonObject, text: string): JsonObject;
/** Removes them from a value that may be no object. */
export function withoutSecrets(value: Json, text: string): Json;
/** Removes them from either. */
export function withoutSecrets(value: Json, text: string): Json {
  const mayHaveSecrets = text.includes(SECRET) || (text.includes('\\u00') && ESCAPED_MARK.test(text));
  return mayHaveSecrets ? shown(value) : value;
}

function shownObject(object: JsonObject): JsonObject {
  const { variable_name: variable } = object;
  if (typeof variable === 'string' && variable.startsWith(SECRET)) return { variable_name: variable };
  return Object.fromEntries(
    Object.entries(object).flatMap(([key, value]) => (key.startsWith(SECRET) ? [] : [[key, shown(value)]])),
  );
}

function shown(value: Json): Json {
  if (Array.isArray(value)) return value.map(shown);
  return isObject(value) ? shownObject(value) : value;
}
