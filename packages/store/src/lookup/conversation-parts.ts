import { z } from 'zod';
import type { Statement } from '../connection/statement.ts';
import { toMs } from '../find/found-event.ts';
import { RECORDING, recordingSchema, type StoredRecording } from '../read/event.ts';
import { COUNTS, foundConversationSchema, PLAIN_COLUMNS, type FoundConversation } from './found-conversation.ts';

/** All that the tables say of a conversation, but for its clocks. Its texts are whole. Times in unix milliseconds. */
export interface LookedUpConversation extends FoundConversation {
  agentNumber: string | null;
  callSid: string | null;
  costCredits: number | null;
  /** As the sender wrote it: evaluation, data collection and the like. */
  analysis: unknown;
  metadata: Record<string, unknown>;
  /** The dialect that was told last with each language, by language. */
  dialects: Record<string, unknown>;
  createdAt: number;
  updatedAt: number;
  /** When the row was last written here. */
  changedAt: number;
  /** When the account of the call orders that the transcript be deleted; null: never. */
  deleteTranscriptAt: number | null;
  /** The same of the audio. */
  deleteAudioAt: number | null;
  /** Why it is `unfetchable` or `missing`; null where no comparison says it, or it is something else. */
  completenessReason: string | null;
}

/** A message as the console shows it. Times in unix milliseconds. */
export interface LookedUpMessage {
  /** Unique in its conversation, together with `source`. */
  eventKey: string;
  /** `live` or `transcript`. */
  source: string;
  /** The turn, from 0 on; null of a live message. */
  position: number | null;
  /** `user`, `agent` or `system`. */
  role: string | null;
  content: string | null;
  language: string | null;
  timeInCallSeconds: number | null;
  interrupted: boolean | null;
  details: unknown;
  createdAt: number;
}

/** A tool call as the console shows it. Times in unix milliseconds. */
export interface LookedUpToolCall {
  /** Unique in its conversation, together with `source`. */
  requestId: string;
  /** `live` or `transcript`. */
  source: string;
  toolName: string | null;
  toolType: string | null;
  parameters: unknown;
  result: unknown;
  isError: boolean | null;
  latencySeconds: number | null;
  details: unknown;
  createdAt: number;
  /** Of a transcript's: the position of the turn that it is shown after; null where it stands before all turns, or is live. */
  position: number | null;
}

/** A command that a user gave. Times in unix milliseconds. */
export interface LookedUpCommand {
  actionId: string;
  userId: string | null;
  command: string | null;
  parameters: unknown;
  status: string | null;
  details: unknown;
  createdAt: number;
}

/** A user's profile, but for its clocks. Times in unix milliseconds. */
export interface LookedUpProfile {
  /** The user's id, else the number that they call from. */
  userId: string;
  language: string | null;
  dialect: string | null;
  personality: unknown;
  phoneNumber: string | null;
  attributes: Record<string, unknown>;
  firstSeenAt: number;
  lastSeenAt: number;
}

const text = z.string().nullable();
const ms = z.number().nullable();
/** What somebody has written into a jsonb column by hand may be anything. */
const map = z.record(z.string(), z.unknown()).catch({});

/** A part of a conversation: the statement that reads it, and what makes its answer out of the rows. */
export interface Part<T> {
  statement: (...parameters: string[]) => Statement;
  read: (rows: readonly unknown[]) => T;
}

function part<T>(sql: string, read: Part<T>['read']): Part<T> {
  return { statement: (...parameters) => ({ sql, parameters }), read };
}

const conversationSchema = foundConversationSchema.extend({
  agentNumber: text,
  callSid: text,
  costCredits: z.number().nullable(),
  analysis: z.unknown(),
  metadata: map,
  dialects: map,
  createdAt: z.number(),
  updatedAt: z.number(),
  changedAt: z.number(),
  deleteTranscriptAt: ms,
  deleteAudioAt: ms,
  completenessReason: text,
});

/** The row, of `$1`. */
export const CONVERSATION = part<LookedUpConversation | undefined>(
  `
    SELECT ${PLAIN_COLUMNS}, c.title, c.summary, c.failure_reason AS "failureReason", c.end_reason AS "endReason",
      c.agent_number AS "agentNumber", c.call_sid AS "callSid", c.cost_credits AS "costCredits", c.analysis, c.metadata, c.dialects,
      ${toMs('c.created_at')} AS "createdAt", ${toMs('c.updated_at')} AS "updatedAt", ${toMs('c.changed_at')} AS "changedAt",
      ${toMs('c.delete_transcript_at')} AS "deleteTranscriptAt", ${toMs('c.delete_audio_at')} AS "deleteAudioAt",
      c.completeness_reason AS "completenessReason",
      ${COUNTS}
    FROM conversations c WHERE c.id = $1::text`,
  (rows) => z.array(conversationSchema).parse(rows)[0],
);

const messageSchema = z.object({
  eventKey: z.string(),
  source: z.string(),
  position: z.number().nullable(),
  role: text,
  content: text,
  language: text,
  timeInCallSeconds: z.number().nullable(),
  interrupted: z.boolean().nullable(),
  details: z.unknown(),
  createdAt: z.number(),
});

/** The messages of `$1`, `$2` at most, behind the first `$3`. A transcript has taken the live ones out where it has turns. */
export const MESSAGES = part<LookedUpMessage[]>(
  `
    SELECT m.event_key AS "eventKey", m.source, m.position, m.role, m.content, m.language,
      m.time_in_call_seconds AS "timeInCallSeconds", m.interrupted, m.details, ${toMs('m.created_at')} AS "createdAt"
    FROM conversation_messages m WHERE m.conversation_id = $1::text
    ORDER BY m.position NULLS LAST, m.created_at, m.event_key LIMIT $2::text::int OFFSET $3::text::int`,
  (rows) => z.array(messageSchema).parse(rows),
);

const toolCallSchema = z.object({
  requestId: z.string(),
  source: z.string(),
  toolName: text,
  toolType: text,
  parameters: z.unknown(),
  result: z.unknown(),
  isError: z.boolean().nullable(),
  latencySeconds: z.number().nullable(),
  details: z.unknown(),
  createdAt: z.number(),
  position: z.number().nullable(),
});

/**
 * The tool calls of `$1`, `$2` at most, behind the first `$3`. The tables do not keep the turn of one, but its time is that of its turn. Of several turns of that second it is the first
 * one of the agent without words, else the first one of the agent, else the last turn until then.
 */
export const TOOL_CALLS = part<LookedUpToolCall[]>(
  `
    SELECT t.request_id AS "requestId", t.source, t.tool_name AS "toolName", t.tool_type AS "toolType", t.parameters, t.result,
      t.is_error AS "isError", t.latency_seconds AS "latencySeconds", t.details, ${toMs('t.created_at')} AS "createdAt",
      CASE t.source WHEN 'transcript' THEN (
        SELECT m.position FROM conversation_messages m
        WHERE m.conversation_id = $1::text AND m.source = 'transcript' AND m.created_at <= t.created_at
        ORDER BY m.created_at DESC,
          CASE WHEN m.created_at < t.created_at OR m.role IS DISTINCT FROM 'agent' THEN 2 WHEN m.content IS NULL THEN 0 ELSE 1 END,
          CASE WHEN m.created_at = t.created_at AND m.role = 'agent' THEN m.position ELSE -m.position END
        LIMIT 1) END AS position
    FROM agent_tool_calls t WHERE t.conversation_id = $1::text
    ORDER BY t.created_at, t.source, length(t.request_id), t.request_id LIMIT $2::text::int OFFSET $3::text::int`,
  (rows) => z.array(toolCallSchema).parse(rows),
);

const commandSchema = z.object({
  actionId: z.string(),
  userId: text,
  command: text,
  parameters: z.unknown(),
  status: text,
  details: z.unknown(),
  createdAt: z.number(),
});

/** The commands that were given in `$1`. */
export const COMMANDS = part<LookedUpCommand[]>(
  `
    SELECT a.action_id AS "actionId", a.user_id AS "userId", a.command, a.parameters, a.status, a.details,
      ${toMs('a.created_at')} AS "createdAt"
    FROM user_commands a WHERE a.conversation_id = $1::text ORDER BY a.created_at, a.action_id`,
  (rows) => z.array(commandSchema).parse(rows),
);

/** The recordings of `$1`, those that can be played first. */
export const RECORDINGS = part<StoredRecording[]>(
  `
    SELECT ${RECORDING} AS recording FROM conversation_recordings r WHERE r.conversation_id = $1::text
    ORDER BY r.url IS NULL OR r.deleted_at IS NOT NULL, r.created_at, r.sha256`,
  (rows) =>
    z
      .array(z.object({ recording: recordingSchema }))
      .parse(rows)
      .map(({ recording }) => recording),
);

const profileSchema = z.object({
  userId: z.string(),
  language: text,
  dialect: text,
  personality: z.unknown(),
  phoneNumber: text,
  attributes: map,
  firstSeenAt: z.number(),
  lastSeenAt: z.number(),
});

/** The profile of the user `$1`. */
export const PROFILE = part<LookedUpProfile | undefined>(
  `
    SELECT p.user_id AS "userId", p.language, p.dialect, p.personality, p.phone_number AS "phoneNumber", p.attributes,
      ${toMs('p.first_seen_at')} AS "firstSeenAt", ${toMs('p.last_seen_at')} AS "lastSeenAt"
    FROM user_profiles p WHERE p.user_id = $1::text`,
  (rows) => z.array(profileSchema).parse(rows)[0],
);

/** Who called in `$1`. */
export const CALLER = part<{ userId: string | null; number: string | null } | undefined>(
  `SELECT c.user_id AS "userId", c.external_number AS number FROM conversations c WHERE c.id = $1::text`,
  (rows) => z.array(z.object({ userId: text, number: text })).parse(rows)[0],
);
