import { createHash } from 'node:crypto';
import type { GetConversationResponseModel } from '@elevenlabs/elevenlabs-js/serialization/types/GetConversationResponseModel.js';
import type { ConversationSummaryResponseModel } from '@elevenlabs/elevenlabs-js/serialization/types/ConversationSummaryResponseModel.js';
import type { ConversationHistoryTranscriptResponseModel } from '@elevenlabs/elevenlabs-js/serialization/types/ConversationHistoryTranscriptResponseModel.js';
import { printJson } from './print-json.ts';

/** A conversation's whole account, as the provider's API answers it: its own type, from its SDK. */
export type Account = GetConversationResponseModel.Raw;

/** A conversation in the provider's list. */
export type ListItem = ConversationSummaryResponseModel.Raw;

type Turn = ConversationHistoryTranscriptResponseModel.Raw;

/** What a test says of a conversation; what is left out is that of an ordinary telephone call. */
export interface ConversationFacts {
  id: string;
  agentId?: string;
  status?: Account['status'];
  /** Unix seconds; two hours ago by default. */
  startedAt?: number;
  /** Of a call that is not over it is 0 by default, as at the provider. */
  durationSeconds?: number;
  userId?: string | null;
  /** The caller's number; null: no telephone call. */
  number?: string | null;
  /** What is said, in turn, the agent first. */
  said?: readonly string[];
  /** By default that of a call that is done. */
  hasAudio?: boolean;
  title?: string;
  summary?: string;
  deletion?: Account['metadata']['deletion_settings'];
}

/** The agent of a conversation that names none. */
export const AGENT_ID = 'agent_front_desk';

const DURATION_SECONDS = 60;
const SAID = ['Hello, how can I help?', 'A table for two, please.', 'For tonight?', 'أيوه، شكراً.'];

/** Makes a conversation as the provider has it. */
export function makeConversation(facts: ConversationFacts): Account {
  const { id, agentId = AGENT_ID, status = 'done', said = SAID } = facts;
  const isOver = status === 'done' || status === 'failed';
  const hasAudio = facts.hasAudio ?? status === 'done';
  return {
    agent_id: agentId,
    agent_name: 'Front desk',
    status,
    user_id: facts.userId === undefined ? `user_${id}` : facts.userId,
    branch_id: null,
    version_id: null,
    metadata: metadataOf(facts, isOver),
    analysis: status === 'done' ? analysisOf(facts) : null,
    conversation_initiation_client_data: {
      conversation_config_override: {},
      custom_llm_extra_body: {},
      user_id: null,
      source_info: { source: 'twilio', version: null },
      dynamic_variables: { system__conversation_id: id, vip: true, visits: 3 },
    },
    environment: 'production',
    conversation_id: id,
    has_audio: hasAudio,
    has_user_audio: hasAudio,
    has_response_audio: hasAudio,
    has_auxiliary_audio: false,
    transcript: said.map((message, position) => turnOf({ message, position, agentId })),
    tag_ids: [],
  };
}

/** Makes what becomes of a running conversation when it ends: done, with analysis and audio. */
export function ended(account: Account, more: Omit<Partial<ConversationFacts>, 'id'> = {}): Account {
  return makeConversation({
    id: account.conversation_id,
    agentId: account.agent_id,
    startedAt: account.metadata.start_time_unix_secs,
    userId: account.user_id ?? null,
    number: account.metadata.phone_call?.external_number ?? null,
    said: account.transcript.map(({ message }) => message ?? ''),
    status: 'done',
    ...more,
  });
}

/** Returns a conversation as the provider lists it. */
export function listItemOf(account: Account): ListItem {
  const { metadata, analysis } = account;
  return {
    agent_id: account.agent_id,
    branch_id: account.branch_id ?? null,
    version_id: account.version_id ?? null,
    agent_name: account.agent_name ?? null,
    conversation_id: account.conversation_id,
    start_time_unix_secs: metadata.start_time_unix_secs,
    call_duration_secs: metadata.call_duration_secs,
    message_count: account.transcript.length,
    status: account.status,
    termination_reason: metadata.termination_reason ?? null,
    call_successful: analysis?.call_successful ?? 'unknown',
    transcript_summary: analysis?.transcript_summary ?? null,
    call_summary_title: analysis?.call_summary_title ?? null,
    main_language: metadata.main_language ?? null,
    conversation_initiation_source: metadata.conversation_initiation_source ?? null,
    tool_names: [],
    direction: metadata.phone_call?.direction ?? null,
    rating: null,
    tag_ids: account.tag_ids ?? null,
  };
}

/** Returns a conversation's audio: always the same bytes, other ones for every conversation. */
export function audioOf(id: string): Buffer {
  return Buffer.concat([Buffer.from('ID3\u0004'), Buffer.alloc(3_000, createHash('sha512').update(id).digest())]);
}

/** Returns when a call ended, in unix seconds: the time of its events by default. */
export function endOf({ metadata }: Account): number {
  return metadata.start_time_unix_secs + metadata.call_duration_secs;
}

/** Returns the body of the webhook with a conversation's account. */
export function webhookOf(account: Account, time = endOf(account)): Buffer {
  return Buffer.from(printJson({ type: 'post_call_transcription', event_timestamp: time, data: account }));
}

/** Returns the body of the webhook with a conversation's audio. */
export function audioWebhookOf(account: Account, time = endOf(account)): Buffer {
  const { agent_id, conversation_id } = account;
  const full_audio = audioOf(conversation_id).toString('base64');
  const data = { agent_id, conversation_id, full_audio };
  return Buffer.from(printJson({ type: 'post_call_audio', event_timestamp: time, data }));
}

function metadataOf(facts: ConversationFacts, isOver: boolean): Account['metadata'] {
  const { number = '+201005550101', status } = facts;
  const startedAt = facts.startedAt ?? Math.floor(Date.now() / 1000) - 7200;
  return {
    start_time_unix_secs: startedAt,
    accepted_time_unix_secs: startedAt,
    call_duration_secs: facts.durationSeconds ?? (isOver ? DURATION_SECONDS : 0),
    cost: isOver ? 296 : null,
    deletion_settings: facts.deletion ?? {
      deletion_time_unix_secs: null,
      deleted_logs_at_time_unix_secs: null,
      deleted_audio_at_time_unix_secs: null,
      deleted_transcript_at_time_unix_secs: null,
      delete_transcript_and_pii: false,
      delete_audio: false,
    },
    feedback: { type: null, overall_score: null, likes: 0, dislikes: 0, rating: null, comment: null },
    authorization_method: 'authorization_header',
    phone_call:
      number === null
        ? null
        : {
            type: 'twilio',
            direction: 'inbound',
            phone_number_id: 'phnum_01',
            agent_number: '+12015550100',
            external_number: number,
            stream_sid: `MZ_${facts.id}`,
            call_sid: `CA_${facts.id}`,
          },
    batch_call: null,
    termination_reason: status === 'failed' ? 'No answer' : isOver ? 'Client disconnected: 1005' : '',
    error: status === 'failed' ? { code: 1011, reason: 'No answer' } : null,
    main_language: 'en',
    text_only: false,
    conversation_initiation_source: number === null ? 'react_sdk' : 'twilio',
    timezone: 'Africa/Cairo',
    whatsapp: null,
    sms: null,
  };
}

function analysisOf({
  title = 'A table',
  summary = 'The caller booked a table.',
}: ConversationFacts): NonNullable<Account['analysis']> {
  return {
    evaluation_criteria_results: {
      polite: { criteria_id: 'polite', result: 'success', rationale: 'The agent thanked the caller.' },
    },
    data_collection_results: {
      wish: { data_collection_id: 'wish', value: 'a table', json_schema: null, rationale: 'Said at the beginning.' },
    },
    call_successful: 'success',
    transcript_summary: summary,
    call_summary_title: title,
  };
}

function turnOf({ message, position, agentId }: { message: string; position: number; agentId: string }): Turn {
  const isAgent = position % 2 === 0;
  return {
    role: isAgent ? 'agent' : 'user',
    agent_metadata: isAgent ? { agent_id: agentId, workflow_node_id: null } : null,
    message,
    tool_calls: [],
    tool_results: [],
    feedback: null,
    llm_override: null,
    time_in_call_secs: position * 3,
    conversation_turn_metrics: null,
    rag_retrieval_info: null,
    llm_usage: null,
    interrupted: false,
    original_message: null,
    source_medium: isAgent ? null : 'audio',
  };
}
