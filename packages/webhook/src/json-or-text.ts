import { parseJson, type Json } from './json.ts';
import { withoutSecrets } from './without-secrets.ts';

/** JSON's own white space before it, and a byte order mark before that. */
const OBJECT_OR_ARRAY = /^\ufeff?[ \t\n\r]*[[{]/;

/**
 * The value of a field that holds JSON written into a string, as `params_as_json` and `result_value` do: the object or
 * array it holds. Any other text stays text, for the digits of a telephone number and the word `true` are texts as they
 * are printed. What is no string stays as it is.
 */
export function jsonOrText(value: Json | undefined): Json | undefined {
  if (typeof value !== 'string' || !OBJECT_OR_ARRAY.test(value)) return value;
  const parsed = parseJson(value);
  return parsed.ok ? withoutSecrets(parsed.value, value) : value;
}
