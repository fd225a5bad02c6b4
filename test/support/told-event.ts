import type { Json } from '@landline/webhook/json';

/** Who says a thing. A later voice is believed before an earlier one, whenever the two spoke. */
export const VOICES = ['seen', 'configured', 'live', 'final'] as const;

/** One of `VOICES`. */
export type Voice = (typeof VOICES)[number];

/** Columns and what an event says of them; of what it does not name it says nothing. */
export type Said = Record<string, Json>;

/** One event in plain words beside its body, for a reference that reads no body. Times in unix milliseconds. */
export interface ToldEvent {
  body: string;
  type: string;
  /** The event's name for itself. */
  eventKey: string | null;
  conversationId: string;
  at: number;
  /** When it is received, which tells apart what happened at one time. */
  receivedAt: number;
  /** null: a type that changes no table. */
  tells: Telling | null;
}

/** What an event tells; where it names no id, its own stands in: its name for itself, else its ledger id. */
export interface Telling {
  voice: 'live' | 'final';
  status: string;
  /** Whether this is an account of the finished call that says its status: among those the last one counts. */
  isAccount?: boolean;
  /** Columns of the conversation. */
  conversation: Said;
  /** Columns that it only implies. */
  implied?: Said;
  start?: { at: number; voice: Voice };
  spoken?: Spoken;
  metadata: Said;
  message?: { id: string | undefined; row: Said };
  toolCall?: { id: string | undefined; fields: Said };
  command?: { id: string | undefined; fields: Said };
  /** The turns of a transcript, and the tool calls in them. */
  turns: { at: number; row: Said }[];
  turnCalls: { id: string; at: number; fields: Said }[];
  user?: { key: string; personality?: Json; phone?: string; attributes: Said };
}

/** A language with its dialect, as the columns keep them, and since when it was spoken. */
export interface Spoken {
  language: string;
  dialect: string | null;
  voice: Voice;
  at: number;
}
