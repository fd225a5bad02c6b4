import { fieldsOf } from './fields.ts';
import { isObject, type Json } from './json.ts';
import type { Language } from './language.ts';
import { readSpoken } from './spoken.ts';

/** The system tool with which an agent changes the language. */
export const LANGUAGE_DETECTION = 'language_detection';

const FAILED: ReadonlySet<Json | undefined> = new Set(['error', 'failure', 'failed']);

/** A call of `language_detection` with its result. */
export interface LanguageDetection {
  parameters: Json | undefined;
  /** The contents of the result, the first one with priority; undefined while there is no result. */
  results: readonly (Json | undefined)[] | undefined;
  isError: boolean | undefined;
  /** `tool_has_been_called` of the result, else of the call. */
  wasCalled: Json | undefined;
}

/**
 * Returns the language that a call of `language_detection` set: the one that its result names, else the one that its
 * parameters name.
 *
 * @returns  undefined where the language did not change: there is no result, the result is an error, or the tool was
 *           not called.
 */
export function detectedLanguage(call: LanguageDetection): Language | undefined {
  if (call.results === undefined) return undefined;
  if (call.isError === true || call.wasCalled === false || call.results.some(isFailure)) return undefined;
  for (const value of [...call.results, call.parameters]) {
    const spoken = isObject(value) ? readSpoken(fieldsOf(value)) : undefined;
    if (spoken) return spoken;
  }
  return undefined;
}

/** Returns whether a result reports a failure in its own fields. */
function isFailure(result: Json | undefined): boolean {
  return isObject(result) && (FAILED.has(result['status']) || result['success'] === false);
}
