import type { Clock } from './clock.ts';
import type { Delivery } from './delivery.ts';
import type { Json } from './json.ts';

/** One column's value with the clock that decides between writers. */
export interface Register<T = Json> {
  value: T;
  clock: Clock;
}

/** A call's statuses, in the order in which they go up until an account of the finished call decides. */
export const CONVERSATION_STATUSES = ['initiated', 'in_progress', 'ended', 'processing', 'done', 'failed'] as const;

/** One of `CONVERSATION_STATUSES`. */
export type ConversationStatus = (typeof CONVERSATION_STATUSES)[number];

/** The columns of a conversation that the latest writer with the greatest clock sets. Times in unix milliseconds. */
export type ConversationFields = {
  agent_id?: Register<string>;
  user_id?: Register<string>;
  status?: Register<ConversationStatus>;
  channel?: Register<string>;
  direction?: Register<string>;
  external_number?: Register<string>;
  agent_number?: Register<string>;
  call_sid?: Register<string>;
  language?: Register<string>;
  started_at?: Register<number>;
  ended_at?: Register<number>;
  duration_seconds?: Register<number>;
  end_reason?: Register<string>;
  failure_reason?: Register<string | null>;
  title?: Register<string>;
  summary?: Register<string>;
  call_successful?: Register<string>;
  cost_credits?: Register<number>;
  analysis?: Register;
};

/** What an event says of a conversation: only the columns it knows. Times in unix milliseconds. */
export interface ConversationChange {
  id: string;
  /** Event times, for created_at (the earliest) and updated_at (the latest). */
  earliest: number;
  latest: number;
  fields: ConversationFields;
  /** Keys of the metadata column, each a register of its own. */
  metadata: Map<string, Register>;
  /** The dialect told together with a language, by language: a register for each. */
  dialects: Map<string, Register<string>>;
  /** The clock of a transcript with turns: of several, the one with the greatest is the conversation's. */
  transcript: Clock | null;
}

/** Where a message or tool call was told of: as it happened, or in the finished call's transcript. */
export type Source = 'live' | 'transcript';

/** One row of conversation_messages. Times in unix milliseconds. */
export interface MessageChange {
  conversation_id: string;
  source: Source;
  /** `<role>:<id>`, the message's own id or else its event's; without one the ledger id; of a transcript turn, its position. */
  event_key: string;
  clock: Clock;
  position: number | null;
  role: 'user' | 'agent' | 'system' | null;
  content: string | null;
  language: string | null;
  time_in_call_seconds: number | null;
  interrupted: boolean | null;
  details: Json;
  created_at: number;
}

/** What an event says of a tool call; call and result may come apart. Times in unix milliseconds. */
export interface ToolCallChange {
  conversation_id: string;
  source: Source;
  /** The call's request id, else its event's. */
  request_id: string;
  /** The clock of the event that wrote last. */
  clock: Clock;
  earliest: number;
  fields: {
    tool_name?: Register<string>;
    tool_type?: Register<string>;
    parameters?: Register;
    result?: Register;
    is_error?: Register<boolean>;
    latency_seconds?: Register<number>;
    details?: Register;
  };
}

/** What an event says of a command that a user gave. Times in unix milliseconds. */
export interface CommandChange {
  conversation_id: string;
  /** The action's own id, else its event's. */
  action_id: string;
  earliest: number;
  fields: {
    user_id?: Register<string>;
    command?: Register<string>;
    parameters?: Register;
    status?: Register<string>;
    details?: Register;
  };
}

/** What an event says of a user. Times in unix milliseconds. */
export interface ProfileChange {
  /** The user's id, else the number they call from, where that names somebody. */
  user_id: string;
  /** Event times, for first_seen_at and last_seen_at. */
  earliest: number;
  latest: number;
  fields: {
    language?: Register<string>;
    personality?: Register;
    phone_number?: Register<string>;
  };
  /** Keys of the attributes column, each a register of its own. */
  attributes: Map<string, Register>;
  /** The dialect told together with a language, by language: a register for each. */
  dialects: Map<string, Register<string>>;
}

/** All that one event changes in the tables. */
export interface Changes {
  conversation: ConversationChange;
  messages: MessageChange[];
  toolCalls: ToolCallChange[];
  commands: CommandChange[];
  profile: ProfileChange | null;
}

/** What becomes of an event: `ignored` is recorded and changes no table, `dead` cannot be applied. */
export type Outcome = 'applied' | 'ignored' | 'dead';

/** Why an event cannot be applied. */
export interface EventFault {
  code: string;
  message: string;
}

/** An event's row in the ledger. Times in unix milliseconds. */
export interface LedgerEntry {
  id: string;
  /** The id that the event names for itself. */
  eventKey: string | null;
  type: string | null;
  conversationId: string | null;
  eventAt: number;
  /** What it came in. */
  delivery: Delivery;
}

/** An event made ready for the tables. */
export type NormalisedEvent =
  | { outcome: 'applied'; entry: LedgerEntry; changes: Changes; done: string }
  | { outcome: 'ignored'; entry: LedgerEntry }
  | { outcome: 'dead'; entry: LedgerEntry; fault: EventFault };
