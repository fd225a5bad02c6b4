import { CANARY_TYPE } from '@landline/webhook/canary';
import { TABLES } from '../../packages/store/test/support/read-tables.ts';
import { keyOf } from './compare-tables.ts';
import { referenceFold } from './reference-fold.ts';
import { DETAIL_TABLES } from './tables.ts';
import type { DescribedEvent } from './described-event.ts';

/** Runs one statement. */
type RunSql = (statement: string) => Promise<unknown>;

/**
 * Makes Postgres record effects in a table without a unique key, by triggers:
 *
 * - each time that the ledger records an event as applied or ignored;
 * - each time that a message, a tool call or a command is about to be inserted. The trigger runs before the insert, because
 *   the row's key rejects a second one.
 *
 * A rolled-back transaction takes its records with it. So a row has at most as many records as there are events with that row.
 *
 * @param tablespace  Tablespace of the table; undefined: the default one.
 */
export async function countEffects(sql: RunSql, tablespace?: string): Promise<void> {
  await sql(`CREATE TABLE effects (in_table text NOT NULL, key text NOT NULL, how text, at timestamptz DEFAULT clock_timestamp())
    ${tablespace === undefined ? '' : `TABLESPACE ${tablespace}`}`);
  await sql(`CREATE FUNCTION note_event() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN INSERT INTO effects VALUES (TG_TABLE_NAME, NEW.id, TG_OP || ' ' || NEW.outcome); RETURN NULL; END $$`);
  // A canary leaves no row in the ledger, so a second delivery of it is a new event there.
  const isNoted = `NEW.outcome <> 'dead' AND NEW.type IS DISTINCT FROM '${CANARY_TYPE}'`;
  await sql(`CREATE TRIGGER note_event AFTER INSERT OR UPDATE OF outcome ON webhook_events
    FOR EACH ROW WHEN (${isNoted}) EXECUTE FUNCTION note_event()`);
  for (const table of DETAIL_TABLES) {
    // oxlint-disable no-await-in-loop -- three, in order
    await sql(`CREATE FUNCTION note_${table}() RETURNS trigger LANGUAGE plpgsql
      AS $$ BEGIN INSERT INTO effects SELECT TG_TABLE_NAME, concat_ws(' ', ${TABLES[table]}) FROM (SELECT NEW.*) AS written; RETURN NEW; END $$`);
    await sql(`CREATE TRIGGER note_row BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION note_${table}()`);
    // oxlint-enable no-await-in-loop
  }
}

/** Selects each row with more than one effect: `in_table`, `key`, `times`, and `effects`, each with its time. */
export const REPEATED = `SELECT in_table, key, count(*)::int AS times, string_agg(concat_ws(' at ', how, at), ', ' ORDER BY at) AS effects
  FROM effects GROUP BY in_table, key HAVING count(*) > 1`;

/** A row that had more effects than there are events with that row. */
export interface Doubled {
  table: string;
  key: string;
  effects: string;
}

/** Compares the rows that had more than one effect with the events, which are added in any order. */
export interface DoubledRows {
  add: (events: readonly DescribedEvent[]) => void;
  /** Returns the rows that had more effects than events. */
  rest: () => Doubled[];
}

/** Makes a `DoubledRows` from the rows of `REPEATED`. */
export function doubledRows(repeated: readonly Record<string, unknown>[]): DoubledRows {
  const left = new Map(
    repeated.map(({ in_table, key, times, effects }) => {
      const row = { table: String(in_table), key: String(key), effects: String(effects) };
      return [`${row.table} ${row.key}`, { ...row, times: Number(times) }];
    }),
  );
  const calls = new Set([...left.values()].map(({ key }) => key.split(' ', 1)[0]));
  return {
    add(events) {
      // The rows of an event are what the tables would hold with this event alone. In the ledger that is always one row.
      for (const event of events.filter(({ conversationId }) => calls.has(conversationId))) {
        const rows = referenceFold([event]);
        for (const table of DETAIL_TABLES) for (const row of rows[table]) allowOne(`${table} ${keyOf(table, row)}`);
      }
    },
    rest: () => [...left.values()].filter(({ table, times }) => table === 'webhook_events' || times > 0),
  };

  function allowOne(name: string): void {
    const row = left.get(name);
    if (row !== undefined) row.times -= 1;
  }
}
