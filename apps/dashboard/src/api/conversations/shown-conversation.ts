import type {
  FoundConversation,
  LookedUpCommand,
  LookedUpConversation,
  LookedUpMessage,
  LookedUpProfile,
  LookedUpToolCall,
} from '@landline/store';
import { boundedJson, boundedText, listedText } from '../bounded.ts';
import type {
  CommandItem,
  ConversationDetail,
  ConversationItem,
  MessageItem,
  ProfileItem,
  ToolCallItem,
} from '../contract/conversations.ts';
import { iso, isoOrNull } from '../shown-time.ts';

/** How much of these texts a list shows, in bytes: a page of 200 conversations stays below 300 KB in any script. */
const LISTED_BYTES = { title: 200, summary: 480, reason: 100, word: 100 };

/** How much of a conversation that is shown alone, in bytes: what was said needs the rest of the answer. */
const SHOWN_BYTES = { title: 4_000, summary: 24_000, reason: 4_000, profile: 16_000 };

/** Of a name that somebody gave, such as that of a tool; of what a tool got or gave; of what a command got. */
const NAME_BYTES = 500;
const TOOL_BYTES = 20_000;
const COMMAND_BYTES = 4_000;

/** A conversation as lists show it. */
export function shownConversation(row: FoundConversation): ConversationItem {
  return {
    id: row.id,
    agent_id: row.agentId,
    user_id: row.userId,
    status: row.status,
    channel: listedText(row.channel, LISTED_BYTES.word),
    direction: listedText(row.direction, LISTED_BYTES.word),
    external_number: row.externalNumber,
    language: listedText(row.language, LISTED_BYTES.word),
    dialect: listedText(row.dialect, LISTED_BYTES.word),
    started_at: iso(row.startedAt),
    ended_at: isoOrNull(row.endedAt),
    duration_seconds: row.durationSeconds,
    title: listedText(row.title, LISTED_BYTES.title),
    summary: listedText(row.summary, LISTED_BYTES.summary),
    call_successful: listedText(row.callSuccessful, LISTED_BYTES.word),
    failure_reason: listedText(row.failureReason, LISTED_BYTES.reason),
    end_reason: listedText(row.endReason, LISTED_BYTES.reason),
    messages: row.messages,
    tool_calls: row.toolCalls,
    has_recording: row.hasRecording,
    erased_at: isoOrNull(row.erasedAt),
    completeness: row.completeness,
  };
}

/** The row of a conversation that is shown alone. */
export function shownRow(row: LookedUpConversation) {
  return {
    ...shownConversation(row),
    title: boundedText(row.title, SHOWN_BYTES.title),
    summary: boundedText(row.summary, SHOWN_BYTES.summary),
    failure_reason: boundedText(row.failureReason, SHOWN_BYTES.reason),
    end_reason: boundedText(row.endReason, SHOWN_BYTES.reason),
    agent_number: listedText(row.agentNumber, NAME_BYTES),
    call_sid: listedText(row.callSid, NAME_BYTES),
    cost_credits: row.costCredits,
    analysis: boundedJson(row.analysis),
    metadata: boundedJson(row.metadata),
    delete_transcript_at: isoOrNull(row.deleteTranscriptAt),
    delete_audio_at: isoOrNull(row.deleteAudioAt),
    completeness_reason: listedText(row.completenessReason, SHOWN_BYTES.reason),
    changed_at: iso(row.changedAt),
  } satisfies Partial<ConversationDetail>;
}

/** A message. */
export function shownMessage(row: LookedUpMessage): MessageItem {
  return {
    event_key: row.eventKey,
    source: row.source,
    position: row.position,
    role: listedText(row.role, NAME_BYTES),
    content: boundedText(row.content),
    language: listedText(row.language, NAME_BYTES),
    time_in_call_seconds: row.timeInCallSeconds,
    interrupted: row.interrupted,
    details: boundedJson(row.details),
    created_at: iso(row.createdAt),
  };
}

/**
 * A tool call. The time of one that a transcript tells of is that of its turn.
 *
 * @param startedAt  When the call began, in unix ms.
 */
export function shownToolCall(row: LookedUpToolCall, startedAt: number): ToolCallItem {
  const isOfTurn = row.source === 'transcript' && row.createdAt >= startedAt;
  return {
    request_id: row.requestId,
    source: row.source,
    tool_name: listedText(row.toolName, NAME_BYTES),
    tool_type: listedText(row.toolType, NAME_BYTES),
    parameters: boundedJson(row.parameters, TOOL_BYTES),
    result: boundedJson(row.result, TOOL_BYTES),
    is_error: row.isError,
    latency_seconds: row.latencySeconds,
    position: row.position,
    time_in_call_seconds: isOfTurn ? (row.createdAt - startedAt) / 1000 : null,
    created_at: iso(row.createdAt),
  };
}

/** A command that a user gave. */
export function shownCommand(row: LookedUpCommand): CommandItem {
  return {
    action_id: row.actionId,
    command: listedText(row.command, NAME_BYTES),
    parameters: boundedJson(row.parameters, COMMAND_BYTES),
    status: listedText(row.status, NAME_BYTES),
    created_at: iso(row.createdAt),
  };
}

/** A profile. */
export function shownProfile(row: LookedUpProfile): ProfileItem {
  return {
    user_id: row.userId,
    language: listedText(row.language, NAME_BYTES),
    dialect: listedText(row.dialect, NAME_BYTES),
    personality: boundedJson(row.personality, SHOWN_BYTES.profile),
    phone_number: row.phoneNumber,
    attributes: boundedJson(row.attributes, SHOWN_BYTES.profile),
    first_seen_at: iso(row.firstSeenAt),
    last_seen_at: iso(row.lastSeenAt),
  };
}
