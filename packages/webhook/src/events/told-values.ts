import type { Fields } from '../fields.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { jsonOrText } from '../json-or-text.ts';

// Several live events tell of one call or action. What is empty in one of them must not take away what another has said.

/** The first of `names` that holds parameters. `{}`, `[]` and an empty text hold none: PHP prints both objects as `[]`. */
export function readParameters(fields: Fields, ...names: string[]): Json | undefined {
  return firstThatSays(fields, names, (value) => !isEmpty(value) && !(Array.isArray(value) && value.length === 0));
}

/** The first of `names` that holds a result. An empty array is one: nothing was found. `{}` and an empty text are not. */
export function readResult(fields: Fields, ...names: string[]): Json | undefined {
  return firstThatSays(fields, names, (value) => !isEmpty(value));
}

/** What nobody has read, without what is empty; undefined where nothing is left. To be called last. */
export function readDetails(fields: Fields): JsonObject | undefined {
  const rest = fields.rest();
  const names = Object.keys(rest);
  if (names.length === 0) return undefined;
  if (!names.some((name) => isEmpty(rest[name]))) return rest;
  const told = Object.entries(rest).filter(([, value]) => !isEmpty(value));
  return told.length > 0 ? Object.fromEntries(told) : undefined;
}

function firstThatSays(fields: Fields, names: readonly string[], says: (value: Json) => boolean): Json | undefined {
  for (const name of names) {
    const value = jsonOrText(fields.any(name));
    if (value !== undefined && says(value)) return value;
  }
  return undefined;
}

function isEmpty(value: Json | undefined): boolean {
  return value === '' || (isObject(value) && Object.keys(value).length === 0);
}
