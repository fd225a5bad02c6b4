import { textArray, type Statement } from '../connection/statement.ts';

/** What of conversations is forgotten. */
export interface WhatToForget {
  /** All that was said, and who said it: everything but id, agent, times, status, duration, outcome and cost. */
  transcript: boolean;
  /** The recordings. */
  audio: boolean;
}

/** The columns of `conversations` that are emptied. A test holds this list against the table. */
export const EMPTIED = {
  user_id: 'NULL',
  external_number: 'NULL',
  agent_number: 'NULL',
  // The carrier tells the number of a call by this id.
  call_sid: 'NULL',
  language: 'NULL',
  dialect: 'NULL',
  // Both may be a sentence of the provider's.
  end_reason: 'NULL',
  failure_reason: 'NULL',
  title: 'NULL',
  summary: 'NULL',
  analysis: 'NULL',
  completeness_reason: 'NULL',
  metadata: `'{}'`,
  // The names of what stood in it.
  metadata_clocks: `'{}'`,
  dialects: `'{}'`,
  dialects_clocks: `'{}'`,
} as const;

/** The tables whose rows belong to one conversation and go with it, each with the name of its count. */
export const TABLES_OF_A_CALL = [
  ['conversation_messages', 'messages'],
  ['agent_tool_calls', 'tool_calls'],
  ['user_commands', 'commands'],
] as const;

/**
 * Makes Postgres take nested loops over indexes for the rest of the transaction: it believes that a partition which was never analysed has few rows,
 * and would read whole partitions for a few bodies.
 */
export const BY_INDEX: Statement = {
  sql: `SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
      set_config('enable_mergejoin', 'off', true), set_config('enable_bitmapscan', 'off', true)`,
  parameters: [],
};

/** Makes a row for each conversation that has none, so that its events find the mark when they come. In the order in which events' transactions make theirs. */
export function makeRowsStatement(ids: readonly string[]): Statement {
  return {
    sql: `
    INSERT INTO conversations (id, status, started_at, created_at, updated_at, clocks)
    SELECT k.id, 'initiated', clock_timestamp(), clock_timestamp(), clock_timestamp(), '{}'
    FROM unnest($1::text[]) AS k (id) ORDER BY k.id COLLATE "C"
    ON CONFLICT (id) DO NOTHING
    RETURNING id`,
    parameters: [textArray(ids)],
  };
}

/**
 * Locks the rows, in the order of their ids: whoever applies events of these conversations holds them, so from now on no transaction is under way that
 * writes such events and does not see what this one does.
 */
export function lockRowsStatement(ids: readonly string[]): Statement {
  return {
    sql: `
    SELECT c.id, c.erased_at IS NULL AS is_new FROM conversations AS c WHERE c.id = ANY ($1::text[])
    ORDER BY c.id COLLATE "C" FOR UPDATE`,
    parameters: [textArray(ids)],
  };
}

/** Empties the conversations' rows, and leaves the mark in them. */
export function emptyRowsStatement(ids: readonly string[]): Statement {
  const emptied = Object.entries(EMPTIED).map(([column, value]) => `${column} = ${value}`);
  return {
    sql: `
    UPDATE conversations SET erased_at = COALESCE(erased_at, clock_timestamp()), completeness = 'erased', changed_at = DEFAULT,
      ${emptied.join(', ')}
    WHERE id = ANY ($1::text[])`,
    parameters: [textArray(ids)],
  };
}

/** Deletes the rows of conversations in one table; one row with their number as `count`. */
export function deleteRowsStatement(table: (typeof TABLES_OF_A_CALL)[number][0], ids: readonly string[]): Statement {
  return {
    sql: counted(`DELETE FROM ${table} WHERE conversation_id = ANY ($1::text[]) RETURNING conversation_id`),
    parameters: [textArray(ids)],
  };
}

/** Marks recordings as deleted; returns the `url` of each, null where the audio was not kept. */
export function deleteRecordingsStatement(ids: readonly string[]): Statement {
  return {
    sql: `
    UPDATE conversation_recordings SET deleted_at = clock_timestamp()
    WHERE conversation_id = ANY ($1::text[]) AND deleted_at IS NULL
    RETURNING url`,
    parameters: [textArray(ids)],
  };
}

/**
 * Makes the tables that a rebuild makes or has kept forget the same; one row with the number of their rows as `count`.
 *
 * @param users  Keys of profiles that are gone, or have lost their number.
 */
export function forgetInKeptTablesStatement(ids: readonly string[], users: readonly string[]): Statement {
  return {
    sql: 'SELECT landline_forget_in_kept_tables($1::text[], $2::text[])::int AS count',
    parameters: [textArray(ids), textArray(users)],
  };
}

/** Makes a statement that changes rows and returns them return their number as `count`. */
export function counted(statement: string): string {
  return `
    WITH gone AS (
      ${statement}
    )
    SELECT count(*)::int AS count FROM gone`;
}
