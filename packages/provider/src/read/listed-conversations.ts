import { z } from 'zod';
import type { ListedConversation } from '../provider.ts';
import { callStatus } from './call-status.ts';
import { callId, maybeCount, maybeDuration, maybeStart, maybeText } from './forms.ts';

/** A call of the list as it stands there: the start may be missing. */
type ListedItem = Omit<ListedConversation, 'startedAt' | 'isStartKnown'> & { startedAt: number | null };

const item = z
  .object({
    conversation_id: callId,
    agent_id: maybeText,
    status: callStatus,
    start_time_unix_secs: maybeStart,
    call_duration_secs: maybeDuration,
    message_count: maybeCount,
    direction: maybeText,
    call_summary_title: maybeText,
    transcript_summary: maybeText,
    call_successful: maybeText,
    termination_reason: maybeText,
  })
  .transform((call): ListedItem => ({
    id: call.conversation_id,
    agentId: call.agent_id,
    status: call.status,
    startedAt: call.start_time_unix_secs,
    durationSeconds: call.call_duration_secs ?? 0,
    messageCount: call.message_count,
    direction: call.direction,
    title: call.call_summary_title,
    summary: call.transcript_summary,
    callSuccessful: call.call_successful,
    endReason: call.termination_reason,
  }));

/** A page with more items than so many, none of which can be read, is an answer of another shape. */
const MOST_UNREADABLE = 10;

/** A page of `GET /v1/convai/conversations`. An item that cannot be read is null: one of them must not cost the others. */
export const listedConversations = z.object({
  conversations: z
    .array(item.nullable().catch(null))
    .refine((items) => items.length <= MOST_UNREADABLE || items.some((call) => call !== null)),
  has_more: z.boolean().nullish().catch(undefined),
  next_cursor: maybeText,
});
