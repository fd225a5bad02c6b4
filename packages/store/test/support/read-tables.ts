/** Runs one statement and answers its rows. */
export type RunSql = (statement: string) => Promise<Record<string, unknown>[]>;

/** The tables, each with its key. */
export const TABLES = {
  webhook_events: 'id',
  webhook_bodies: 'event_id',
  conversations: 'id',
  conversation_messages: 'conversation_id, source, event_key',
  agent_tool_calls: 'conversation_id, source, request_id',
  user_commands: 'conversation_id, action_id',
  user_profiles: 'user_id',
  conversation_recordings: 'conversation_id, sha256',
} as const;

/** The name of a table. */
export type TableName = keyof typeof TABLES;

/** All rows of all tables, in the order of their keys. */
export type Tables = Record<TableName, Record<string, unknown>[]>;

/** When something was written here: the only columns that are not a function of the set of events. `fingerprint` is one of the code and the message. */
const LEFT_OUT = `- 'applied_at' - 'received_at' - 'changed_at' #- '{error,at}' #- '{error,fingerprint}'`;

/**
 * One statement that answers the rows of all tables as `tables`; times are ISO 8601 texts in UTC.
 *
 * @param where  Which rows of a table, as a condition; by default all.
 */
export function selectTables(where: Readonly<Partial<Record<string, string>>> = {}): string {
  const rows = Object.entries(TABLES).map(
    ([table, key]) =>
      `'${table}', (SELECT coalesce(jsonb_agg(to_jsonb(t) ${LEFT_OUT}
         ORDER BY ${key}), '[]') FROM ${table} t WHERE ${where[table] ?? 'true'})`,
  );
  return `SELECT jsonb_build_object(${rows.join(', ')}) AS tables`;
}

/** Empties all tables; for few rows this is faster than TRUNCATE. */
export const EMPTY_TABLES = Object.keys(TABLES)
  .map((table) => `DELETE FROM ${table}`)
  .join('; ');

/** Reads all rows of all tables, but for when the ledger wrote them. */
export async function readTables({ sql }: { sql: RunSql }): Promise<Tables> {
  return tablesIn(await sql(selectTables()));
}

/** What `selectTables` answered. */
export function tablesIn([row]: readonly Record<string, unknown>[]): Tables {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the statement builds exactly this
  return row?.['tables'] as Tables;
}
