import type { Clock, Json } from '@landline/webhook';

/** One value of a parameter array; Postgres casts the text to the array's type. */
export type Parameter = string | null;

/** A set-based statement: each parameter is an array, one element a row. */
export interface Statement {
  sql: string;
  parameters: Parameter[][];
}

/** A time for a timestamptz; null for what is none. */
export function timestamp(ms: number | null): Parameter {
  return ms === null || Number.isNaN(ms) ? null : new Date(ms).toISOString();
}

/** A value for a jsonb column; JSON null is SQL's null. */
export function json(value: Json | undefined): Parameter {
  return value === null || value === undefined ? null : JSON.stringify(value);
}

/** Clocks as the text of a uuid array. */
export function clockArray(clocks: readonly (Clock | null)[]): string {
  return `{${clocks.map((clock) => clock ?? 'NULL').join(',')}}`;
}
