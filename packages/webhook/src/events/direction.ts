import type { Fields } from '../fields.ts';

/** The two that the tables know, and how carriers write them: Twilio's `outbound-api` and `outbound-dial`, say. */
const DIRECTIONS = ['inbound', 'outbound'] as const;

/** Which way a call went: `inbound`, `outbound`, or another word as it was told. The first of `names` that is a text. */
export function readDirection(fields: Fields, ...names: string[]): string | undefined {
  const told = fields.text(...names)?.toLowerCase();
  return DIRECTIONS.find((direction) => told === direction || told?.startsWith(`${direction}-`)) ?? told;
}
