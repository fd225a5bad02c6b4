import { ORIGINS } from '@landline/webhook/delivery';
import { phoneNumber } from '@landline/webhook/phone-number';
import { z } from 'zod';
import { readTime } from './read-time.ts';

/** What the ledger says of an event. */
export const OUTCOMES = ['applied', 'ignored', 'dead'] as const;

/** The longest value of a word, in characters; of `text`, where that is more. */
const MOST_CHARACTERS = 256;
const MOST_TEXT_CHARACTERS = 1_000;

/** No event is older than the first; JavaScript and Postgres write times before the second in four digits. */
const EARLIEST_MS = Date.UTC(2000, 0, 1);
const LATEST_MS = Date.UTC(9999, 0, 1);

/**
 * Makes the schema of an event filter: the words that commands, the API and `operations.filter` share. All words that are given must hold.
 *
 * - `agent`, `user` and `number` select the events of the conversations that have them.
 * - `since` is included and `until` is not; both are of the receipt, and become unix ms.
 * - `text` stands in the body, whatever its case and escapes.
 * - `error` is the code of a dead event's fault.
 *
 * @param now  Unix ms, for durations such as `2h`.
 */
export function eventFilterSchema(now: number) {
  return z
    .strictObject({
      type: word('type').optional(),
      outcome: oneOf('outcome', OUTCOMES),
      origin: oneOf('origin', ORIGINS),
      conversation: word('conversation').optional(),
      agent: word('agent').optional(),
      user: word('user').optional(),
      number: word('number').transform(phoneNumber).optional(),
      since: time('since', now),
      until: time('until', now),
      text: word('text', MOST_TEXT_CHARACTERS).optional(),
      error: word('error').optional(),
    })
    .refine(({ since = 0, until = Infinity }) => since < until, {
      error: 'until must be later than since',
      path: ['until'],
    })
    .refine(({ outcome = 'dead', error }) => error === undefined || outcome === 'dead', {
      error: 'error is of dead events alone: leave outcome out, or make it dead',
      path: ['error'],
    });
}

/** Which events; see `eventFilterSchema`. No word: all of them. */
export type EventFilter = z.output<ReturnType<typeof eventFilterSchema>>;

/** The words of a filter, in the order in which commands name them. */
export const FILTER_WORDS = [
  'type',
  'outcome',
  'origin',
  'conversation',
  'agent',
  'user',
  'number',
  'since',
  'until',
  'text',
  'error',
] as const satisfies readonly (keyof EventFilter)[];

/** A filter in words that a later day reads alike, as `operations.filter` has it: times are ISO 8601. */
export function filterWords(filter: EventFilter): Record<string, string> {
  return Object.fromEntries(
    FILTER_WORDS.flatMap((name) => {
      const value = filter[name];
      if (value === undefined) return [];
      return [[name, typeof value === 'number' ? new Date(value).toISOString() : value]];
    }),
  );
}

function word(name: string, most = MOST_CHARACTERS) {
  const error = `${name} must be a text of 1 to ${most} characters`;
  return (
    z
      .string({ error })
      .min(1, { error })
      .max(most, { error })
      // No text of Postgres holds the first, and none the second as it is.
      .refine((text) => !text.includes('\0') && text.isWellFormed(), {
        error: `${name} has characters that no event has`,
      })
  );
}

function oneOf<const Values extends readonly [string, ...string[]]>(name: string, values: Values) {
  return z.enum(values, { error: `${name} must be one of ${values.join(', ')}` }).optional();
}

function time(name: string, now: number) {
  const error = `${name} takes a time such as 2026-01-31T14:30:00Z, or a duration such as 30m, 2h or 7d`;
  return z
    .string({ error })
    .transform((text, context) => {
      const at = readTime(text, now);
      if (at !== undefined && at >= EARLIEST_MS && at < LATEST_MS) return at;
      context.addIssue({ code: 'custom', message: error });
      return z.NEVER;
    })
    .optional();
}
