import {
  CONVERSATION_STATUSES,
  type CommandChange,
  type ConversationChange,
  type ProfileChange,
  type Register,
  type ToolCallChange,
} from '@landline/webhook/changes';
import { greatestClockOf, rankClock } from '@landline/webhook/clock';
import { columnsInOrder, type EachMapOf, type LookedUp, type MergedTable } from './merged-table.ts';

/** No handler sets it: the statement looks it up. */
interface LookedUpDialect {
  dialect: Register<string>;
}

const DIALECT: LookedUp = { column: 'dialect', map: 'dialects', by: 'language' };

/** conversations: one row a call. */
export const CONVERSATIONS: MergedTable = {
  name: 'conversations',
  key: ['id'],
  registers: columnsInOrder<ConversationChange['fields'] & LookedUpDialect>({
    agent_id: 'text',
    user_id: 'text',
    status: 'text',
    channel: 'text',
    direction: 'text',
    external_number: 'text',
    agent_number: 'text',
    call_sid: 'text',
    language: 'text',
    dialect: 'text',
    started_at: 'timestamptz',
    ended_at: 'timestamptz',
    duration_seconds: 'float8',
    end_reason: 'text',
    failure_reason: 'text',
    title: 'text',
    summary: 'text',
    call_successful: 'text',
    cost_credits: 'float8',
    analysis: 'jsonb',
    delete_transcript_at: 'timestamptz',
    delete_audio_at: 'timestamptz',
  }),
  earliest: 'created_at',
  latest: 'updated_at',
  // A message, a tool call or a command implies no more than that the call goes on, and that it had begun by then.
  implied: {
    status: rankClock(CONVERSATION_STATUSES.indexOf('in_progress')),
    started_at: greatestClockOf('seen'),
  },
  greatestClock: 'transcript_clock',
  maps: Object.keys({ metadata: null, dialects: null } satisfies EachMapOf<ConversationChange, null>),
  lookedUp: DIALECT,
  changedAt: 'changed_at',
};

/** agent_tool_calls: one row a call of a tool, its result joined. */
export const AGENT_TOOL_CALLS: MergedTable = {
  name: 'agent_tool_calls',
  key: ['conversation_id', 'source', 'request_id'],
  registers: columnsInOrder<ToolCallChange['fields']>({
    tool_name: 'text',
    tool_type: 'text',
    parameters: 'jsonb',
    result: 'jsonb',
    is_error: 'boolean',
    latency_seconds: 'float8',
    details: 'jsonb',
  }),
  earliest: 'created_at',
  greatestClock: 'clock',
};

/** user_commands: one row a command that a user gave. */
export const USER_COMMANDS: MergedTable = {
  name: 'user_commands',
  key: ['conversation_id', 'action_id'],
  registers: columnsInOrder<CommandChange['fields']>({
    user_id: 'text',
    command: 'text',
    parameters: 'jsonb',
    status: 'text',
    details: 'jsonb',
  }),
  earliest: 'created_at',
};

/** user_profiles: one row a user. */
export const USER_PROFILES: MergedTable = {
  name: 'user_profiles',
  key: ['user_id'],
  registers: columnsInOrder<ProfileChange['fields'] & LookedUpDialect>({
    language: 'text',
    dialect: 'text',
    personality: 'jsonb',
    phone_number: 'text',
  }),
  earliest: 'first_seen_at',
  latest: 'last_seen_at',
  maps: Object.keys({ attributes: null, dialects: null } satisfies EachMapOf<ProfileChange, null>),
  lookedUp: DIALECT,
};
