import type { Fields } from '../fields.ts';

/** The directions of the tables. Carriers add to these words: Twilio writes `outbound-api` and `outbound-dial`. */
const DIRECTIONS = ['inbound', 'outbound'] as const;

/**
 * Reads a call's direction from the first of `names` that is a text. Returns `inbound`, `outbound`, or any other word
 * in lower case.
 */
export function readDirection(fields: Fields, ...names: string[]): string | undefined {
  const word = fields.text(...names)?.toLowerCase();
  return DIRECTIONS.find((direction) => word === direction || word?.startsWith(`${direction}-`)) ?? word;
}
