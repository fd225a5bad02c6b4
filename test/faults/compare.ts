import { selectTables, tablesIn, type TableName } from '../../packages/store/test/support/read-tables.ts';
import { differencesOf, differenceText, type Difference } from '../support/compare-tables.ts';
import { ledgerId, referenceFold } from '../support/reference-fold.ts';
import { TABLE_NAMES } from '../support/tables.ts';
import type { DescribedEvent } from '../support/described-event.ts';
import { receivedEvents } from '../support/wrong-rows.ts';
import { asStored, RECEIVED } from './cut-out.ts';
import type { EventLoad } from './event-load.ts';
import type { PostgresServer } from './postgres-server.ts';

/** What came of comparing the tables with what the events tell. */
export interface Compared {
  /** Rows that were compared. */
  rows: number;
  /** Of these, those that differ in a column, are there and must not be, or are missing. */
  differing: number;
  /** How many rows differ in which column, most first; and a few rows. */
  examples: string[];
}

export interface CompareOptions {
  load: EventLoad;
  postgres: PostgresServer;
  /** Is given each set of events that are in the ledger and were not made dead letters. */
  onEvents: (events: readonly DescribedEvent[]) => void;
}

const MOST_EXAMPLES = 5;

/** One set's rows: its events', its calls' and its users'. */
const OF_SET: Record<TableName, string> = {
  webhook_events: 'id = ANY($1::uuid[])',
  webhook_bodies: '(received_at, event_id) IN (SELECT received_at, id FROM webhook_events WHERE id = ANY($1::uuid[]))',
  conversations: 'id = ANY($2)',
  conversation_messages: 'conversation_id = ANY($2)',
  agent_tool_calls: 'conversation_id = ANY($2)',
  user_commands: 'conversation_id = ANY($2)',
  user_profiles: 'user_id = ANY($3)',
  conversation_recordings: 'conversation_id = ANY($2)',
};

/**
 * Holds every row of every table, column by column, against what the events tell that the ledger holds. Of an event whose answer is
 * not known the ledger alone says whether it counts.
 */
export async function compareTables({ load, postgres, onEvents }: CompareOptions): Promise<Compared> {
  const found: Difference[] = [];
  const counts = new Map<TableName, number>();
  for (const told of load.events()) {
    const ids = told.map(({ body }) => ledgerId(body));
    const calls = [...new Set(told.map(({ conversationId }) => conversationId))];
    const users = [...new Set(told.flatMap(({ facts }) => facts?.user?.key ?? []))];
    // oxlint-disable no-await-in-loop -- a set after another: all at once are more than memory holds
    const actual = tablesIn(await postgres.sqlPatiently(selectTables(OF_SET), [ids, calls, users]));
    const ledger = await postgres.sqlPatiently(`${RECEIVED} WHERE ${OF_SET.webhook_events}`, [ids]);
    // oxlint-enable no-await-in-loop
    const events = asStored(receivedEvents(told, ledger), { ledger, recordings: actual.conversation_recordings });
    onEvents(events);
    found.push(...differencesOf(referenceFold(events), actual));
    for (const table of TABLE_NAMES) counts.set(table, (counts.get(table) ?? 0) + actual[table].length);
  }
  const strays = await countStrays(counts, postgres);
  return {
    rows: [...counts.values()].reduce((sum, count) => sum + count, 0),
    differing: found.length + strays.reduce((sum, { count }) => sum + count, 0),
    examples: [
      ...strays.map(({ table, count }) => `${count} rows of ${table} belong to no event`),
      ...columnCounts(found),
      ...found.slice(0, MOST_EXAMPLES).map(differenceText),
    ],
  };
}

/** Rows beside those of all sets; the ledger's and its bodies are counted elsewhere, for poison is in no set. */
async function countStrays(counts: Map<TableName, number>, postgres: PostgresServer) {
  const tables = TABLE_NAMES.filter((table) => table !== 'webhook_events' && table !== 'webhook_bodies');
  const sums = tables.map((table) => `(SELECT count(*) FROM ${table}) AS ${table}`);
  const [totals] = await postgres.sqlPatiently(`SELECT ${sums.join(', ')}`);
  return tables
    .map((table) => ({ table, count: Math.abs(Number(totals?.[table]) - (counts.get(table) ?? 0)) }))
    .filter(({ count }) => count > 0);
}

function columnCounts(found: readonly Difference[]): string[] {
  const counts = new Map<string, number>();
  for (const { table, columns } of found) {
    for (const { name } of columns) counts.set(`${table}.${name}`, (counts.get(`${table}.${name}`) ?? 0) + 1);
  }
  return [...counts].toSorted(([, a], [, b]) => b - a).map(([column, rows]) => `${column} differs in ${rows} rows`);
}
