import { z } from 'zod';
import { toMs } from '../find/found-event.ts';

/** A conversation as it is listed. Times in unix milliseconds. */
export interface FoundConversation {
  id: string;
  agentId: string | null;
  userId: string | null;
  /** One of `CONVERSATION_STATUSES` of packages/webhook. */
  status: string;
  channel: string | null;
  direction: string | null;
  externalNumber: string | null;
  language: string | null;
  dialect: string | null;
  startedAt: number;
  endedAt: number | null;
  durationSeconds: number | null;
  /** The first 300 characters, as of the other texts that have no bound. */
  title: string | null;
  summary: string | null;
  /** `success`, `failure` or `unknown`, as the sender says it. */
  callSuccessful: string | null;
  failureReason: string | null;
  endReason: string | null;
  /** How many messages there are. */
  messages: number;
  /** How many tool calls there are. */
  toolCalls: number;
  /** Whether there is audio that can be played. */
  hasRecording: boolean;
  erasedAt: number | null;
  /** One of `COMPLETENESS`; null: it was never compared with the provider. */
  completeness: string | null;
}

/** A place among conversations: they are listed by when they began, the newest first, and those of one millisecond by id. */
export interface StartedPosition {
  /** Unix milliseconds. */
  startedAt: number;
  id: string;
}

/** How much of a text a listing shows, in characters. */
const SHOWN = 300;

/** How complete `conversations c` is. An older worker that erases writes `erased_at` alone. */
export const COMPLETENESS = `CASE WHEN c.erased_at IS NULL THEN c.completeness ELSE 'erased' END`;

/** The columns that a listing and a look-up have alike, of `conversations c`. */
export const PLAIN_COLUMNS = `c.id, c.agent_id AS "agentId", c.user_id AS "userId", c.status, c.channel, c.direction,
      c.external_number AS "externalNumber", c.language, c.dialect, ${toMs('c.started_at')} AS "startedAt",
      ${toMs('c.ended_at')} AS "endedAt", c.duration_seconds AS "durationSeconds", c.call_successful AS "callSuccessful",
      ${toMs('c.erased_at')} AS "erasedAt", ${COMPLETENESS} AS completeness`;

/** How much there is of a conversation; each count reads an index alone. */
export const COUNTS = `
      (SELECT count(*)::int FROM conversation_messages m WHERE m.conversation_id = c.id) AS messages,
      (SELECT count(*)::int FROM agent_tool_calls t WHERE t.conversation_id = c.id) AS "toolCalls",
      EXISTS (SELECT FROM conversation_recordings r WHERE r.conversation_id = c.id AND r.url IS NOT NULL AND r.deleted_at IS NULL)
        AS "hasRecording"`;

/** The columns of `foundConversationSchema`, of `conversations c`. */
export const FOUND_CONVERSATION_COLUMNS = `${PLAIN_COLUMNS}, left(c.title, ${SHOWN}) AS title, left(c.summary, ${SHOWN}) AS summary,
      left(c.failure_reason, ${SHOWN}) AS "failureReason", left(c.end_reason, ${SHOWN}) AS "endReason", ${COUNTS}`;

const text = z.string().nullable();
const ms = z.number().nullable();

/** A row of a listing. */
export const foundConversationSchema = z.object({
  id: z.string(),
  agentId: text,
  userId: text,
  status: z.string(),
  channel: text,
  direction: text,
  externalNumber: text,
  language: text,
  dialect: text,
  startedAt: z.number(),
  endedAt: ms,
  durationSeconds: z.number().nullable(),
  title: text,
  summary: text,
  callSuccessful: text,
  failureReason: text,
  endReason: text,
  messages: z.number(),
  toolCalls: z.number(),
  hasRecording: z.boolean(),
  erasedAt: ms,
  completeness: text,
});

/** Reads rows of a listing. */
export function readFoundConversations(rows: unknown): FoundConversation[] {
  return z.array(foundConversationSchema).parse(rows);
}
