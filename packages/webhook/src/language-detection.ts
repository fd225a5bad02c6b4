import { fieldsOf } from './fields.ts';
import { isObject, type Json } from './json.ts';
import type { Language } from './language.ts';
import { readSpoken } from './spoken.ts';

/** The system tool by which an agent changes the language. */
export const LANGUAGE_DETECTION = 'language_detection';

const FAILED: ReadonlySet<Json | undefined> = new Set(['error', 'failure', 'failed']);

/** A call of `language_detection` with what came of it. */
export interface LanguageDetection {
  parameters: Json | undefined;
  /** What the result holds, in the order in which its words count; undefined: there is no result yet. */
  results: readonly (Json | undefined)[] | undefined;
  isError: boolean | undefined;
  /** What `tool_has_been_called` says of the result, else of the call. */
  wasCalled: Json | undefined;
}

/**
 * Reads the language into which a call of `language_detection` has changed: the one that its result names, else the one
 * that it asked for.
 *
 * @returns  undefined where the language did not change: no result, an error, or not called.
 */
export function detectedLanguage(call: LanguageDetection): Language | undefined {
  if (call.results === undefined) return undefined;
  if (call.isError === true || call.wasCalled === false || call.results.some(isFailure)) return undefined;
  for (const told of [...call.results, call.parameters]) {
    const spoken = isObject(told) ? readSpoken(fieldsOf(told)) : undefined;
    if (spoken) return spoken;
  }
  return undefined;
}

/** A result may say in its own words that it failed. */
function isFailure(result: Json | undefined): boolean {
  return isObject(result) && (FAILED.has(result['status']) || result['success'] === false);
}
