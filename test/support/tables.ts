import { TABLES, type TableName } from '../../packages/store/test/support/read-tables.ts';

/** The names of all tables that Landline writes to, the ledger first. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- keyof says the same of a constant
export const TABLE_NAMES = Object.keys(TABLES) as TableName[];

/** Tables with a row for each message, tool call or command. Two events share such a row only where they share its id. */
export const DETAIL_TABLES = ['conversation_messages', 'agent_tool_calls', 'user_commands'] as const;
