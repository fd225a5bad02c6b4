import type { Clock } from './clock.ts';
import type { Delivery } from './delivery.ts';
import type { Json } from './json.ts';

/** A column's value with the clock of its writer. Of two registers the one with the greater clock stands. */
export interface Register<T = Json> {
  value: T;
  clock: Clock;
}

/**
 * A call's statuses, lowest first. A live event can only raise the status; the account of the finished call decides it.
 */
export const CONVERSATION_STATUSES = ['initiated', 'in_progress', 'ended', 'processing', 'done', 'failed'] as const;

/** One of `CONVERSATION_STATUSES`. */
export type ConversationStatus = (typeof CONVERSATION_STATUSES)[number];

/** The columns of a conversation that are registers. Times are in unix milliseconds. */
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
  /** When the account orders that the transcript and what names the person be deleted; null: it orders that they stay. */
  delete_transcript_at?: Register<number | null>;
  /** The same of the audio. */
  delete_audio_at?: Register<number | null>;
};

/**
 * An event's changes to a conversation. Only the columns that the event names are present. Times are in unix
 * milliseconds.
 */
export interface ConversationChange {
  id: string;
  /** The event's time, for created_at (the earliest event) and updated_at (the latest event that says something about the call). */
  earliest: number;
  latest: number;
  fields: ConversationFields;
  /** Keys of the metadata column, each a register of its own. */
  metadata: Map<string, Register>;
  /** Dialects by language. Each is a register of its own, written by an event that names language and dialect. */
  dialects: Map<string, Register<string>>;
  /** The clock of a transcript that has turns. The conversation keeps the transcript with the greatest clock. */
  transcript: Clock | null;
}

/** The source of a message or tool call: a live event during the call, or the finished call's transcript. */
export type Source = 'live' | 'transcript';

/** One row of conversation_messages. Times in unix milliseconds. */
export interface MessageChange {
  conversation_id: string;
  source: Source;
  /**
   * The message's key within its conversation:
   *
   * - of a live message: `<role>:<id>`, where the id is the message's own, else its event's;
   * - of a live message without an id: the ledger id;
   * - of a transcript's turn: its position.
   */
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

/** An event's changes to a tool call. Call and result may come in two events. Times are in unix milliseconds. */
export interface ToolCallChange {
  conversation_id: string;
  source: Source;
  /** The call's request id, else its event's. */
  request_id: string;
  /** The clock of the last event that wrote to the tool call. */
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

/** An event's changes to a command that a user gave. Times are in unix milliseconds. */
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

/** An event's changes to a user's profile. Times are in unix milliseconds. */
export interface ProfileChange {
  /** The user's id, else the number that the user calls from, where that number identifies a caller. */
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
  /** Dialects by language. Each is a register of its own, written by an event that names language and dialect. */
  dialects: Map<string, Register<string>>;
}

/** One row of conversation_recordings, by the event that carried the audio. Times in unix milliseconds. */
export interface RecordingChange {
  conversation_id: string;
  /** The ledger id of the event. */
  event_id: string;
  /** `file:<path>` or `s3://<bucket>/<key>`; null where the audio was not kept in the storage. */
  url: string | null;
  content_type: string;
  /** Of the decoded audio. */
  bytes: number;
  /** Of the decoded audio, in hex. */
  sha256: string;
  /** The event's time. */
  created_at: number;
  stored_at: number | null;
}

/** The changes of one event to all tables. */
export interface Changes {
  conversation: ConversationChange;
  messages: MessageChange[];
  toolCalls: ToolCallChange[];
  commands: CommandChange[];
  recordings: RecordingChange[];
  profile: ProfileChange | null;
}

/**
 * The outcome of an event. An `ignored` event is in the ledger and changes no other table. A `dead` event cannot be
 * applied.
 */
export type Outcome = 'applied' | 'ignored' | 'dead';

/** The reason why an event cannot be applied. */
export interface EventFault {
  code: string;
  message: string;
}

/** An event's row in the ledger. `eventAt` is in unix milliseconds. */
export interface LedgerEntry {
  id: string;
  /** The id that the event gives itself. */
  eventKey: string | null;
  type: string | null;
  conversationId: string | null;
  eventAt: number;
  /** The delivery that carried the event. */
  delivery: Delivery;
}

/** A normalised event: its ledger row, and its changes or its fault. */
export type NormalisedEvent =
  | { outcome: 'applied'; entry: LedgerEntry; changes: Changes; done: string }
  | { outcome: 'ignored'; entry: LedgerEntry }
  | { outcome: 'dead'; entry: LedgerEntry; fault: EventFault };
