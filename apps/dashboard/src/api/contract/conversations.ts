import { z } from 'zod';
import { recordingSchema } from './events.ts';
import { count, numberOrNull, pageOf, textOrNull, time, timedOutOf, timeOrNull } from './fields.ts';

/** Any JSON value. */
const json = z.json();

/** A conversation as it is listed. The names are those of the columns. */
export const conversationSchema = z.object({
  id: z.string(),
  agent_id: textOrNull,
  user_id: textOrNull,
  status: z.string(),
  channel: textOrNull,
  direction: textOrNull,
  external_number: textOrNull,
  language: textOrNull,
  dialect: textOrNull,
  started_at: time,
  ended_at: timeOrNull,
  duration_seconds: numberOrNull,
  title: textOrNull,
  /** The beginning of it, where it is long; so of the title and the reasons. */
  summary: textOrNull,
  /** success, failure or unknown. */
  call_successful: textOrNull,
  failure_reason: textOrNull,
  end_reason: textOrNull,
  messages: count,
  tool_calls: count,
  has_recording: z.boolean(),
  erased_at: timeOrNull,
  /** open, waiting, complete, missing, unfetchable or erased, as the last comparison with the provider has found it; null where it was never compared. */
  completeness: textOrNull,
});

export const messageSchema = z.object({
  event_key: z.string(),
  /** `live` or `transcript`. */
  source: z.string(),
  position: z.int().nullable(),
  role: textOrNull,
  content: textOrNull,
  language: textOrNull,
  time_in_call_seconds: numberOrNull,
  interrupted: z.boolean().nullable(),
  details: json,
  created_at: time,
});

export const toolCallSchema = z.object({
  request_id: z.string(),
  source: z.string(),
  tool_name: textOrNull,
  tool_type: textOrNull,
  parameters: json,
  result: json,
  is_error: z.boolean().nullable(),
  latency_seconds: numberOrNull,
  /** The turn that made the call, as `messages.position` has it; null where nobody said. */
  position: z.int().nullable(),
  time_in_call_seconds: numberOrNull,
  created_at: time,
});

export const commandSchema = z.object({
  action_id: z.string(),
  command: textOrNull,
  parameters: json,
  status: textOrNull,
  created_at: time,
});

export const profileSchema = z.object({
  user_id: z.string(),
  language: textOrNull,
  dialect: textOrNull,
  personality: json,
  phone_number: textOrNull,
  attributes: json,
  first_seen_at: time,
  last_seen_at: time,
});

/** One conversation, with all that is needed to read it. Its events are `/api/v1/events?conversation=<id>`. */
export const conversationDetailSchema = conversationSchema.extend({
  /** The whole of it. */
  summary: textOrNull,
  agent_number: textOrNull,
  call_sid: textOrNull,
  cost_credits: numberOrNull,
  analysis: json,
  metadata: json,
  delete_transcript_at: timeOrNull,
  delete_audio_at: timeOrNull,
  /** Why it is unfetchable or missing, where the last comparison with the provider says why. */
  completeness_reason: textOrNull,
  changed_at: time,
  /** The first of them, in order; `messages` counts all. */
  transcript: z.array(messageSchema),
  /** Where `/conversations/:id/messages` goes on; null where these are all. */
  messages_next: textOrNull,
  /** The first of them, in order; `tool_calls` counts all. */
  calls: z.array(toolCallSchema),
  /** Where `/conversations/:id/tool-calls` goes on; null where these are all. */
  calls_next: textOrNull,
  commands: z.array(commandSchema),
  recordings: z.array(recordingSchema),
  profile: profileSchema.nullable(),
  /** Other conversations of the same person, newest first, 10 at most. */
  other_conversations: z.array(conversationSchema),
});

/** The next messages of a conversation, in order. */
export const messagesPage = pageOf(messageSchema);

/** The next tool calls of a conversation, in order. */
export const toolCallsPage = pageOf(toolCallSchema);

export const conversationsPage = pageOf(conversationSchema);
export const conversationsTimedOut = timedOutOf(conversationSchema);

export type ConversationItem = z.output<typeof conversationSchema>;
export type ConversationDetail = z.output<typeof conversationDetailSchema>;
export type MessageItem = z.output<typeof messageSchema>;
export type ToolCallItem = z.output<typeof toolCallSchema>;
export type CommandItem = z.output<typeof commandSchema>;
export type ProfileItem = z.output<typeof profileSchema>;
