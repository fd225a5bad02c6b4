import { eventFilterSchema, FILTER_WORDS, type EventFilter } from '@landline/store';
import { CliError } from '../errors.ts';

/** The options of a filter, for `parseArgs`. */
export const FILTER_OPTIONS = {
  type: { type: 'string' },
  outcome: { type: 'string' },
  origin: { type: 'string' },
  conversation: { type: 'string' },
  agent: { type: 'string' },
  user: { type: 'string' },
  number: { type: 'string' },
  since: { type: 'string' },
  until: { type: 'string' },
  text: { type: 'string' },
  error: { type: 'string' },
  fingerprint: { type: 'string' },
} as const satisfies Record<(typeof FILTER_WORDS)[number], { type: 'string' }>;

/**
 * Reads a filter from options that `parseArgs` has read.
 *
 * @param now  Unix ms, for durations.
 * @throws     {CliError} `arguments_invalid`: its message names each option that cannot be meant.
 */
export function readFilter(values: Readonly<Record<string, string | boolean | undefined>>, now: number): EventFilter {
  const given = FILTER_WORDS.flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]] as const]));
  const read = eventFilterSchema(now).safeParse(Object.fromEntries(given));
  if (read.success) return read.data;
  throw new CliError('arguments_invalid', read.error.issues.map(({ message }) => `--${message}.`).join('\n'));
}

/** Reads a whole number that an option names. @throws {CliError} `arguments_invalid` */
export function readCount(option: string, text: string, { min, max }: { min: number; max: number }): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (count >= min && count <= max) return count;
  throw new CliError('arguments_invalid', `${option} takes a whole number from ${min} to ${max}, not "${text}".`);
}
