import { CANARY_TYPE } from '@landline/webhook/canary';
import { TABLES } from '../../packages/store/test/support/read-tables.ts';
import { keyOf } from './compare-tables.ts';
import { referenceFold } from './reference-fold.ts';
import { DETAIL_TABLES } from './tables.ts';
import type { ToldEvent } from './told-event.ts';

/** Runs one statement. */
type RunSql = (statement: string) => Promise<unknown>;

/**
 * Lets Postgres note effects in a table without a unique key: each time that the ledger takes an event for applied or
 * ignored, and each time that a message, a tool call or a command is to be written. The latter is noted before the write: a
 * second one changes no row, since the row's own key turns it away. A transaction that is rolled back takes its notes with it, so
 * a row is noted at most as often as events tell of it.
 *
 * @param tablespace  Where the table is to lie; undefined: with the others.
 */
export async function countEffects(sql: RunSql, tablespace?: string): Promise<void> {
  await sql(`CREATE TABLE effects (in_table text NOT NULL, key text NOT NULL, how text, at timestamptz DEFAULT clock_timestamp())
    ${tablespace === undefined ? '' : `TABLESPACE ${tablespace}`}`);
  await sql(`CREATE FUNCTION note_event() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN INSERT INTO effects VALUES (TG_TABLE_NAME, NEW.id, TG_OP || ' ' || NEW.outcome); RETURN NULL; END $$`);
  // A canary leaves no row, so a second one of it is new to the ledger.
  const isNoted = `NEW.outcome <> 'dead' AND NEW.type IS DISTINCT FROM '${CANARY_TYPE}'`;
  await sql(`CREATE TRIGGER note_event AFTER INSERT OR UPDATE OF outcome ON webhook_events
    FOR EACH ROW WHEN (${isNoted}) EXECUTE FUNCTION note_event()`);
  for (const table of DETAIL_TABLES) {
    // oxlint-disable no-await-in-loop -- three, in order
    await sql(`CREATE FUNCTION note_${table}() RETURNS trigger LANGUAGE plpgsql
      AS $$ BEGIN INSERT INTO effects SELECT TG_TABLE_NAME, concat_ws(' ', ${TABLES[table]}) FROM (SELECT NEW.*) AS told; RETURN NEW; END $$`);
    await sql(`CREATE TRIGGER note_row BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION note_${table}()`);
    // oxlint-enable no-await-in-loop
  }
}

/** Asks for what had more than one effect: `in_table`, `key`, `times`, and `effects`, each with its time. */
export const REPEATED = `SELECT in_table, key, count(*)::int AS times, string_agg(concat_ws(' at ', how, at), ', ' ORDER BY at) AS effects
  FROM effects GROUP BY in_table, key HAVING count(*) > 1`;

/** Something that had more effects than events tell of it. */
export interface Doubled {
  table: string;
  key: string;
  effects: string;
}

/** Holds what had more than one effect against the events that tell of it, as they are added in any order. */
export interface DoubledRows {
  add: (events: readonly ToldEvent[]) => void;
  /** Those that are left: of each there are more effects than events. */
  rest: () => Doubled[];
}

/** Begins with what `REPEATED` answers. */
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
      // What an event tells of is what the tables would hold if there were no other; of the ledger it always is one row.
      for (const event of events.filter(({ conversationId }) => calls.has(conversationId))) {
        const rows = referenceFold([event]);
        for (const table of DETAIL_TABLES) for (const row of rows[table]) tellOf(`${table} ${keyOf(table, row)}`);
      }
    },
    rest: () => [...left.values()].filter(({ table, times }) => table === 'webhook_events' || times > 0),
  };

  function tellOf(name: string): void {
    const row = left.get(name);
    if (row !== undefined) row.times -= 1;
  }
}
