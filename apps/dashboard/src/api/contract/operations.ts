import { z } from 'zod';
import { conversationIdSchema } from '../conversations/conversation-id.ts';
import { count, numberOrNull, pageOf, textOrNull, time, timeOrNull, uuid } from './fields.ts';

export const operationSchema = z.object({
  id: uuid,
  kind: z.string(),
  filter: z.record(z.string(), z.json()),
  /** `asked`: no worker has taken the request yet. */
  status: z.enum(['asked', 'planned', 'running', 'done', 'cancelled', 'failed']),
  total: numberOrNull,
  done: count,
  failed: count,
  message: textOrNull,
  /** Events a second at most. */
  rate: numberOrNull,
  requested_by: textOrNull,
  created_at: time,
  started_at: timeOrNull,
  updated_at: time,
  finished_at: timeOrNull,
  cancel_requested_at: timeOrNull,
});

export const operationsPage = pageOf(operationSchema);

/** A filter in words, as query strings have them. */
const words = z.record(z.string(), z.string());

/** The id that the operation gets: whoever sends the same one twice, such as after a lost answer, starts one operation. Without it the server makes one. */
const id = z.uuid({ error: 'id takes a uuid of your own, or is left out' }).optional();

/**
 * What can be asked for. `filter` has the words of its kind: those of events for a replay, `since`, `until` and `cause` for a readmission, `since` for a comparison with the provider.
 * The comparison alone goes without `filter`: whoever forgets that of a replay must not replay everything.
 */
export const operationBody = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({ kind: z.literal('replay'), id, filter: words, rate: z.int().min(1).max(1_000_000).optional() }),
    z.strictObject({ kind: z.literal('readmit'), id, filter: words }),
    z.strictObject({
      kind: z.literal('erase'),
      id,
      by: z.enum(['conversation', 'user', 'number']),
      value: z.string().min(1).max(256),
    }),
    z.strictObject({ kind: z.literal('rebuild-conversation'), id, conversation: conversationIdSchema }),
    z.strictObject({ kind: z.literal('reconcile'), id, filter: words.default({}) }),
    z.strictObject({ kind: z.literal('fetch-conversation'), id, conversation: conversationIdSchema }),
  ],
  {
    error:
      'kind must be replay, readmit, erase, rebuild-conversation, reconcile or fetch-conversation, with the fields of that kind',
  },
);

/** What an operation would do. Nothing is changed yet. */
export const planSchema = z.object({
  kind: z.string(),
  /** How many events, requests or conversations it is about. */
  total: count,
  /** Whether all of them were counted. Where it is false, there are `total` at least, and the text says how far the count has come. */
  is_whole: z.boolean(),
  /** One sentence for a person: what would happen, and to how many. */
  text: z.string(),
  /** How many of each, such as by type and by outcome. */
  parts: z.array(z.object({ name: z.string(), counts: z.record(z.string(), count) })),
  /** The filter as the operation would have it, its times absolute. Send this one to start it. */
  filter: words,
});

/** The operation that was asked for. A worker makes its row; until then its status is `asked`. */
export const startedSchema = z.object({ id: uuid });

export type OperationItem = z.output<typeof operationSchema>;
export type OperationCall = z.output<typeof operationBody>;
export type Plan = z.output<typeof planSchema>;
