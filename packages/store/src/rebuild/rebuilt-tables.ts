import { quoteName } from '../connection/database-url.ts';
import { AGENT_TOOL_CALLS, CONVERSATIONS, USER_COMMANDS, USER_PROFILES } from '../tables/merged-tables.ts';

/** A table that follows from the ledger, and is made anew by a rebuild. */
export interface RebuiltTable {
  name: string;
  /** The columns of its key. The first one names the conversation or the profile that a row belongs to. */
  key: readonly string[];
  /** Whose rows these are. */
  of: Owner;
}

/** A row belongs to a conversation or to a profile; `landline_touched` and `landline_carried` call it a kind. */
export type Owner = 'conversation' | 'profile';

/** The tables, in the order in which they are compared. The ledger, operations and refused requests are no such tables. */
export const REBUILT_TABLES: readonly RebuiltTable[] = [
  { name: CONVERSATIONS.name, key: CONVERSATIONS.key, of: 'conversation' },
  { name: 'conversation_messages', key: ['conversation_id', 'source', 'event_key'], of: 'conversation' },
  { name: AGENT_TOOL_CALLS.name, key: AGENT_TOOL_CALLS.key, of: 'conversation' },
  { name: USER_COMMANDS.name, key: USER_COMMANDS.key, of: 'conversation' },
  { name: 'conversation_recordings', key: ['conversation_id', 'sha256'], of: 'conversation' },
  { name: USER_PROFILES.name, key: USER_PROFILES.key, of: 'profile' },
];

/**
 * Columns that are no function of the events: when a row was written here, and what a comparison with the provider has found. The first differs always, and the
 * others are copied: see `listedStatement`.
 */
export const NOT_COMPARED: readonly string[] = ['changed_at', 'completeness', 'completeness_reason'];

/** The columns of a table that are compared, as SQL texts. */
export type ColumnsOf = (table: RebuiltTable) => readonly string[];

/** Names a table of a rebuild's schema. All others are named by the search path, as everywhere. */
export function inSchema(schema: string, table: string): string {
  return `${quoteName(schema)}.${table}`;
}

/** The column of a table that names whose row it is. */
export function ownerColumn({ key }: RebuiltTable): string {
  return key[0] ?? 'id';
}
