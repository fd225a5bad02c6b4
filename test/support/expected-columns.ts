import { TABLES, type TableName, type Tables } from '../../packages/store/test/support/read-tables.ts';
import type { ExpectedRows } from '../expected-rows/scenario.ts';

/** The order of rows in an expectation, where it is not that of their key. */
const ORDER: Partial<Record<TableName, readonly string[]>> = {
  webhook_events: ['conversation_id', 'type', 'outcome'],
  conversation_messages: ['conversation_id', 'source', 'position', 'created_at', 'event_key'],
  agent_tool_calls: ['conversation_id', 'source', 'created_at', 'request_id'],
};

/** Returns only the tables and columns that the expectation names, with the rows in its order. */
export function onlyExpectedColumns(tables: Tables, expected: ExpectedRows): ExpectedRows {
  const names = tableNames(expected);
  return Object.fromEntries(
    names.map((name) => {
      const rows = sorted(name, tables[name]);
      const wanted = expected[name] ?? [];
      // A row more than expected keeps all of its columns.
      return [name, rows.map((row, i) => (wanted[i] ? pick(row, Object.keys(wanted[i])) : row))];
    }),
  );
}

function tableNames(tables: ExpectedRows): TableName[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of a record of tables are tables
  return Object.keys(TABLES).filter((name) => Object.hasOwn(tables, name)) as TableName[];
}

function sorted(table: TableName, rows: Record<string, unknown>[]): Record<string, unknown>[] {
  const columns = ORDER[table];
  if (!columns) return rows;
  const word = (row: Record<string, unknown>) =>
    columns.map((column) =>
      typeof row[column] === 'number' ? String(row[column]).padStart(9, '0') : String(row[column]),
    );
  return rows.toSorted((a, b) => (word(a).join('\0') < word(b).join('\0') ? -1 : 1));
}

function pick(row: Record<string, unknown>, columns: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(columns.map((column) => [column, lookUp(row, column)]));
}

function lookUp(row: Record<string, unknown>, path: string): unknown {
  const [column = '', ...keys] = path.split('.');
  let value = row[column];
  for (const key of keys) {
    value =
      typeof value === 'object' && value !== null ? Object.entries(value).find(([name]) => name === key)?.[1] : null;
  }
  return value ?? null;
}
