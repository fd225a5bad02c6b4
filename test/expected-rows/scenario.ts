import type { TableName } from '../../packages/store/test/support/read-tables.ts';

/**
 * A scenario: deliveries, and the rows that a reader of the tables must find.
 *
 * A file in this folder exports `Scenario[]` for one theme, and test/expected-rows.test.ts lists it. Each scenario runs once through
 * the whole pipe (receiver, Redis, worker, Postgres). Then it runs through the store:
 *
 * - in every order
 * - split into jobs in several ways
 * - by two workers at once
 * - with each delivery twice
 *
 * Write the expected values by hand.
 */
export interface Scenario {
  /** The rule that a reader may rely on, as a sentence. */
  name: string;
  /** The deliveries, in the order of their receipt. */
  deliveries: Delivered[];
  /** The expected rows. A table that is not named is not compared. */
  rows: ExpectedRows;
  /**
   * Whether one event is delivered with several signatures. The delivery that is applied first decides the event's receipt, and its
   * time where the event names none. So only the columns in `rows` are the same in every order.
   */
  firstDecides?: boolean;
}

/** One delivery. Make it with `event`, or write it out. */
export interface Delivered {
  /** A text is sent as it is, anything else as JSON. */
  body: unknown;
  /** When the delivery was signed, in seconds after the scenario began, by default 0; negative is earlier. */
  signed?: number;
}

/**
 * All rows of each table. Only the columns that are named are compared, and those exactly. Times are ISO 8601 as `iso` prints them.
 * `column.key` is a key of a jsonb column: null where the key is absent.
 *
 * | table | order of the rows |
 * | --- | --- |
 * | messages | position, created_at, event_key |
 * | tool calls | created_at, request_id |
 * | ledger | conversation_id, type, outcome |
 * | others | key |
 */
export type ExpectedRows = Partial<Record<TableName, Record<string, unknown>[]>>;

/** Unix seconds at which the calls of the scenarios begin: 2026-01-05T09:00:00Z. */
export const AT = Date.UTC(2026, 0, 5, 9) / 1000;

/** Prints the time `seconds` after `AT` as the tables return it. */
export function iso(seconds: number): string {
  return new Date((AT + seconds) * 1000)
    .toISOString()
    .replace(/(\.\d*?)0*Z$/, (_, part: string) => (part === '.' ? '' : part) + '+00:00');
}

/** Makes an event of the conversation `c`, `at` seconds after `AT`; undefined: the event names no time. */
export function event(type: string, at: number | undefined, data: object = {}): Delivered {
  return {
    body: { type, ...(at !== undefined && { event_timestamp: AT + at }), data: { conversation_id: 'c', ...data } },
  };
}

/** Makes the transcript of a finished call, by default sent 100 seconds after `AT`. */
export function transcript(data: object = {}, at = 100): Delivered {
  return event('post_call_transcription', at, { agent_id: 'a', status: 'done', ...data });
}
