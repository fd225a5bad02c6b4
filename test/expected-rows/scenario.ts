import type { TableName } from '../../packages/store/test/support/read-tables.ts';

/**
 * Scenarios: what is delivered, and the rows that somebody who reads the tables must find.
 *
 * A file here exports `Scenario[]` for one theme, and test/expected-rows.test.ts lists it. Each scenario runs once through
 * the whole pipe (receiver, Redis, worker, Postgres), and then through the store in every order, split into jobs in
 * several ways, by two workers at once, and with everything delivered twice. Write the expected values by hand.
 */
export interface Scenario {
  /** What a reader may rely on, as a sentence. */
  name: string;
  /** In the order in which they are received. */
  deliveries: Delivered[];
  /** Tables that are not named are not looked at. */
  rows: ExpectedRows;
}

/** One delivery; use `event`, or write it out. */
export interface Delivered {
  /** A text is sent as it is, anything else as JSON. */
  body: unknown;
  /** When it was signed, in seconds after the scenario began; 0 unless told otherwise. Negative is earlier. */
  signed?: number;
}

/**
 * All rows of a table, in the order of its key (messages: position, created_at, event_key; tool calls: created_at,
 * request_id; the ledger: conversation_id, type, outcome). Only the columns that are named are compared, and those
 * exactly. Times are ISO 8601 as `iso` prints them. `column.key` looks into a jsonb column: null where the key is absent.
 */
export type ExpectedRows = Partial<Record<TableName, Record<string, unknown>[]>>;

/** Unix seconds at which the calls of the scenarios begin: 2026-01-05T09:00:00Z. */
export const AT = Date.UTC(2026, 0, 5, 9) / 1000;

/** A time as the tables give it back, so many seconds after `AT`. */
export function iso(seconds: number): string {
  return new Date((AT + seconds) * 1000)
    .toISOString()
    .replace(/(\.\d*?)0*Z$/, (_, part: string) => (part === '.' ? '' : part) + '+00:00');
}

/** An event of the conversation `c`, so many seconds after `AT`; undefined: it names no time. */
export function event(type: string, at: number | undefined, data: object = {}): Delivered {
  return {
    body: { type, ...(at !== undefined && { event_timestamp: AT + at }), data: { conversation_id: 'c', ...data } },
  };
}

/** A finished call's account, sent 100 seconds after `AT`. */
export function transcript(data: object = {}, at = 100): Delivered {
  return event('post_call_transcription', at, { agent_id: 'a', status: 'done', ...data });
}
