import { CONVERSATION_STATUSES } from '@landline/webhook/changes';
import { readLanguage } from '@landline/webhook/language';
import { phoneNumber } from '@landline/webhook/phone-number';
import { z } from 'zod';
import { MOST_TEXT_CHARACTERS, oneOf, time, word } from '../find/filter-words.ts';
import { COMPLETENESS, type Completeness } from '../reconcile/reconcile.ts';

/** What the evaluation of a call may say of it. */
export const CALL_OUTCOMES = ['success', 'failure', 'unknown'] as const;

/** Digits with a fraction: what `Number` reads beside them, such as `0x1f`, nobody means. */
const SECONDS = /^\d{1,9}(?:\.\d{1,6})?$/;

/**
 * Makes the schema of a conversation filter: the words that the API and the console share. All words that are given must hold.
 *
 * - `status` is one of `CONVERSATION_STATUSES`; `outcome` is what the evaluation says of the call.
 * - `language` is read as the tables have it: `ar-EG` selects the calls in `ar`.
 * - `completeness` is one of `COMPLETENESS`: what the last comparison with the provider has found.
 * - `min_duration` and `max_duration` are seconds; both are included. A call whose duration is unknown has neither.
 * - `since` is included and `until` is not; both are of the start of the call, and become unix ms.
 * - `text` stands in the title, in the summary or in what was said, whatever its case.
 *
 * @param now  Unix ms, for durations such as `2h`.
 */
export function conversationFilterSchema(now: number) {
  return z
    .strictObject({
      conversation: word('conversation').optional(),
      agent: word('agent').optional(),
      user: word('user').optional(),
      number: word('number').transform(phoneNumber).optional(),
      status: oneOf('status', CONVERSATION_STATUSES),
      language: word('language')
        .transform((tag) => readLanguage(tag)?.language ?? tag)
        .optional(),
      channel: word('channel').optional(),
      outcome: oneOf('outcome', CALL_OUTCOMES),
      completeness: oneOf('completeness', COMPLETENESS),
      min_duration: seconds('min_duration'),
      max_duration: seconds('max_duration'),
      since: time('since', now),
      until: time('until', now),
      text: word('text', MOST_TEXT_CHARACTERS).optional(),
    })
    .refine(({ since = 0, until = Infinity }) => since < until, {
      error: 'until must be later than since',
      path: ['until'],
    })
    .refine(({ min_duration = 0, max_duration = Infinity }) => min_duration <= max_duration, {
      error: 'max_duration must not be less than min_duration',
      path: ['max_duration'],
    });
}

/** Which conversations; see `conversationFilterSchema`. No word: all of them. */
export type ConversationFilter = z.output<ReturnType<typeof conversationFilterSchema>>;

/** The words of a filter, in the order in which the console names them. */
export const CONVERSATION_FILTER_WORDS = [
  'conversation',
  'agent',
  'user',
  'number',
  'status',
  'language',
  'channel',
  'outcome',
  'completeness',
  'min_duration',
  'max_duration',
  'since',
  'until',
  'text',
] as const satisfies readonly (keyof ConversationFilter)[];

/**
 * Tells whether Postgres may have to look at many conversations that a filter does not select: no index has its words, or it has `text`.
 * Then the conversations are found by `search` of a `ConversationLookup`, and not by `list`.
 */
export function needsSearch(filter: ConversationFilter): boolean {
  const { conversation, user, number, text } = filter;
  if (text !== undefined) return true;
  // A person has few conversations.
  if ((conversation ?? user ?? number) !== undefined) return false;
  return hasWordWithoutIndex(filter);
}

/** Tells whether an index has the conversations of a completeness: it has those that are neither complete nor erased, which are few. */
export function isIndexed(completeness: Completeness): boolean {
  return completeness !== 'complete' && completeness !== 'erased';
}

/** Tells whether a filter has a word that no index has; `text` is none of these. */
export function hasWordWithoutIndex(filter: ConversationFilter): boolean {
  const { completeness } = filter;
  if (completeness !== undefined && !isIndexed(completeness)) return true;
  return WITHOUT_INDEX.some((name) => filter[name] !== undefined);
}

/** The words that no index has, whatever they say. */
const WITHOUT_INDEX = [
  'status',
  'language',
  'channel',
  'outcome',
  'min_duration',
  'max_duration',
] as const satisfies readonly (keyof ConversationFilter)[];

function seconds(name: string) {
  const error = `${name} takes a number of seconds, such as 30 or 1.5`;
  return z.string({ error }).regex(SECONDS, { error }).transform(Number).optional();
}
