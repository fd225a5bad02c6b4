import type { Recording } from '@landline/webhook/delivery';
import type { Json } from '@landline/webhook/json';

/** How much the source of a value is to be believed, least first. A later authority wins over an earlier one, also with an older time. */
export const AUTHORITIES = ['seen', 'configured', 'live', 'final'] as const;

/** One of `AUTHORITIES`. */
export type Authority = (typeof AUTHORITIES)[number];

/** Columns with the values that an event sets; the event leaves every other column alone. */
export type Columns = Record<string, Json>;

/** One event: its body, and the facts in that body, for a reference that reads no body. Times are in unix milliseconds. */
export interface DescribedEvent {
  /** With a reference, the envelope. */
  body: string;
  /** Where the rest of a large body is. No sender sends it, so only sets that go past the receiver have it. */
  reference?: { eventId: string; bytes: number; recording: Recording };
  type: string;
  /** The id that the sender gave the event. */
  eventKey: string | null;
  conversationId: string;
  at: number;
  /** When the event is received; of two events at one time the one received later wins. */
  receivedAt: number;
  /** null: a type that changes no table. */
  facts: EventFacts | null;
}

/** The facts in an event. Where a part has no id, the event's key is its id, else the event's ledger id. */
export interface EventFacts {
  authority: 'live' | 'final';
  status: string;
  /** Whether the event reports the status of the finished call; of several such events the last one counts. */
  isAccount?: boolean;
  /** Columns of the conversation. */
  conversation: Columns;
  /** Columns that the event only implies. */
  implied?: Columns;
  start?: { at: number; authority: Authority };
  spoken?: Spoken;
  metadata: Columns;
  message?: { id: string | undefined; row: Columns };
  toolCall?: { id: string | undefined; fields: Columns };
  command?: { id: string | undefined; fields: Columns };
  /** The turns of a transcript, and the tool calls in them. */
  turns: { at: number; row: Columns }[];
  turnCalls: { id: string; at: number; fields: Columns }[];
  /** Audio, by the SHA-256 of its content. */
  recording?: { url: string | null; bytes: number; sha256: string; storedAt: number | null };
  user?: { key: string; personality?: Json; phone?: string; attributes: Columns };
}

/** A language with its dialect, as the columns keep both, and since when the caller spoke it. */
export interface Spoken {
  language: string;
  dialect: string | null;
  authority: Authority;
  at: number;
}
