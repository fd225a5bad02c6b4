import { parseJson, type Json } from './json.ts';
import { withoutSecrets } from './without-secrets.ts';

/**
 * The value of a field that holds JSON written into a string, as `params_as_json` and `result_value` do: the JSON it
 * holds, or the string itself where it is none. What is no string stays as it is.
 */
export function jsonOrText(value: Json | undefined): Json | undefined {
  if (typeof value !== 'string') return value;
  const parsed = parseJson(value);
  return parsed.ok ? withoutSecrets(parsed.value, value) : value;
}
