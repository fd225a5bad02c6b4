import { isFilled, hasContent, withoutEmpties, type Fields } from '../fields.ts';
import type { Json, JsonObject } from '../json.ts';
import { jsonOrText } from '../json-or-text.ts';

// Several live events may describe one call or action. An empty value in one of them must not replace another's value.

/**
 * Returns the first of `names` that holds parameters. `{}`, `[]` and an empty text hold none: PHP prints both objects
 * as `[]`.
 */
export function readParameters(fields: Fields, ...names: string[]): Json | undefined {
  return firstWanted(fields, names, isFilled);
}

/**
 * Returns the first of `names` that holds a result. An empty array is a result: the tool found nothing. `{}` and an
 * empty text are none.
 */
export function readResult(fields: Fields, ...names: string[]): Json | undefined {
  return firstWanted(fields, names, hasContent);
}

/**
 * Returns the unread fields that have content; undefined where there are none. The caller reads all other fields
 * before.
 */
export function readDetails(fields: Fields): JsonObject | undefined {
  const details = withoutEmpties(fields.rest());
  return Object.keys(details).length > 0 ? details : undefined;
}

function firstWanted(fields: Fields, names: readonly string[], isWanted: (value: Json) => boolean): Json | undefined {
  for (const name of names) {
    const value = jsonOrText(fields.any(name));
    if (value !== undefined && isWanted(value)) return value;
  }
  return undefined;
}
