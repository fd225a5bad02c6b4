import { ORIGINS } from '@landline/webhook/delivery';
import { phoneNumber } from '@landline/webhook/phone-number';
import { z } from 'zod';
import { MOST_TEXT_CHARACTERS, oneOf, time, word } from './filter-words.ts';

/** What the ledger says of an event. */
export const OUTCOMES = ['applied', 'ignored', 'dead'] as const;

/** What names a group of failures. */
const FINGERPRINT = /^[0-9a-f]{12}$/;
const FINGERPRINT_ERROR = 'fingerprint takes the 12 characters 0-9 and a-f of a group of failures';

/**
 * Makes the schema of an event filter: the words that commands, the API and `operations.filter` share. All words that are given must hold.
 *
 * - `agent`, `user` and `number` select the events of the conversations that have them.
 * - `since` is included and `until` is not; both are of the receipt, and become unix ms.
 * - `text` stands in the body, whatever its case and escapes.
 * - `error` is the code of a dead event's fault.
 * - `fingerprint` is that of a group of dead events: see failure-fingerprint.ts.
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
      fingerprint: z.string({ error: FINGERPRINT_ERROR }).regex(FINGERPRINT, { error: FINGERPRINT_ERROR }).optional(),
    })
    .refine(({ since = 0, until = Infinity }) => since < until, {
      error: 'until must be later than since',
      path: ['until'],
    })
    .refine(({ outcome = 'dead', error }) => error === undefined || outcome === 'dead', {
      error: 'error is of dead events alone: leave outcome out, or make it dead',
      path: ['error'],
    })
    .refine(({ outcome = 'dead', fingerprint }) => fingerprint === undefined || outcome === 'dead', {
      error: 'fingerprint is of dead events alone: leave outcome out, or make it dead',
      path: ['fingerprint'],
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
  'fingerprint',
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
