import { parseJson, type Json } from './json.ts';
import { withoutSecrets } from './without-secrets.ts';

/** The beginning of an object or array, after a byte order mark and JSON's white space. */
const OBJECT_OR_ARRAY = /^\ufeff?[ \t\n\r]*[[{]/;

/**
 * Parses a field that holds JSON in a string, as `params_as_json` and `result_value` do. Returns the object or array
 * that the string holds. Any other value stays unchanged: the digits of a telephone number and the word `true` are
 * texts.
 */
export function jsonOrText(value: Json | undefined): Json | undefined {
  if (typeof value !== 'string' || !OBJECT_OR_ARRAY.test(value)) return value;
  const parsed = parseJson(value);
  return parsed.ok ? withoutSecrets(parsed.value, value) : value;
}
