import type { Clock } from '@landline/webhook/clock';
import type { Json } from '@landline/webhook/json';

/** A parameter as it goes to Postgres: the text of an array with one element a row, or bytes. */
export type Parameter = string | Uint8Array;

/** A set-based statement. */
export interface Statement {
  sql: string;
  parameters: Parameter[];
}

/** What stands in an array without quotes: numbers, booleans, hex digits and dashes. */
type Plain = string | number | boolean | null;

// The drivers' own way from arrays to text looks at every element several times over, which is a good part of what an
// event costs. So parameters are written out here, once.

/** The text of an array whose elements need no quotes. Not for texts that come from outside. */
export function plainArray(values: readonly Plain[]): string {
  let text = '{';
  for (const value of values) text += text.length > 1 ? `,${value ?? 'NULL'}` : (value ?? 'NULL');
  return `${text}}`;
}

/** The text of an array of any texts. */
export function textArray(values: readonly (string | null)[]): string {
  let text = '{';
  for (const value of values) {
    if (text.length > 1) text += ',';
    text += value === null ? 'NULL' : quoted(value);
  }
  return `${text}}`;
}

/**
 * Returns an element of an array, quoted. JSON has the same escapes for these two characters, and V8 writes them twice as fast. What else JSON
 * escapes, an array does not.
 */
function quoted(value: string): string {
  if (!SPECIAL.test(value)) return `"${value}"`;
  return ESCAPED_BY_JSON.test(value) ? `"${value.replace(EACH_SPECIAL, '\\$&')}"` : JSON.stringify(value);
}

const SPECIAL = /["\\]/;
const EACH_SPECIAL = /["\\]/g;
// oxlint-disable-next-line no-control-regex -- these are what is looked for
const ESCAPED_BY_JSON = /[\u0000-\u001f\ud800-\udfff]/;

/** Milliseconds for a column that SQL turns into a timestamptz by `fromMs`; null for what is no time. */
export function milliseconds(ms: number | null): number | null {
  return ms === null || Number.isNaN(ms) ? null : ms;
}

/** The SQL that makes a timestamptz of unix milliseconds; much cheaper than to read one from text. */
export function fromMs(column: string): string {
  return `to_timestamp(${column} / 1000)`;
}

/** A value for a jsonb column; JSON null is SQL's null. */
export function json(value: Json | undefined): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}

/** Clocks as the text of a uuid array. */
export function clockArray(clocks: readonly (Clock | null)[]): string {
  return plainArray(clocks);
}
