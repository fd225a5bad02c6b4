import { holdsSomething, saysSomething, withoutEmpties, type Fields } from '../fields.ts';
import type { Json, JsonObject } from '../json.ts';
import { jsonOrText } from '../json-or-text.ts';

// Several live events tell of one call or action. What is empty in one of them must not take away what another has said.

/** The first of `names` that holds parameters. `{}`, `[]` and an empty text hold none: PHP prints both objects as `[]`. */
export function readParameters(fields: Fields, ...names: string[]): Json | undefined {
  return firstThatSays(fields, names, holdsSomething);
}

/** The first of `names` that holds a result. An empty array is one: nothing was found. `{}` and an empty text are not. */
export function readResult(fields: Fields, ...names: string[]): Json | undefined {
  return firstThatSays(fields, names, saysSomething);
}

/** What nobody has read, without what is empty; undefined where nothing is left. To be called last. */
export function readDetails(fields: Fields): JsonObject | undefined {
  const told = withoutEmpties(fields.rest());
  return Object.keys(told).length > 0 ? told : undefined;
}

function firstThatSays(fields: Fields, names: readonly string[], says: (value: Json) => boolean): Json | undefined {
  for (const name of names) {
    const value = jsonOrText(fields.any(name));
    if (value !== undefined && says(value)) return value;
  }
  return undefined;
}
