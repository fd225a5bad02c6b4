import { CANARY_TYPE } from '@landline/webhook';
import { KEY_OF } from '../exactly-once/expected-rows.ts';

/** Runs one statement. */
type RunSql = (statement: string) => Promise<unknown>;

/** Tables of whose rows each is told of by one event. */
const ROWS = ['conversation_messages', 'agent_tool_calls', 'user_commands'] as const;

/**
 * Lets Postgres note effects in a table without a unique key: each time that the ledger takes an event for applied or
 * ignored, and each time that a message, a tool call or a command is to be written. The latter is noted before the write: a
 * second one changes no row, since the row's own key turns it away. A transaction that is rolled back takes its notes with it, so
 * where no two events tell of the same row, each is noted once.
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
  for (const table of ROWS) {
    // oxlint-disable no-await-in-loop -- three, in order
    await sql(`CREATE FUNCTION note_${table}() RETURNS trigger LANGUAGE plpgsql
      AS $$ BEGIN INSERT INTO effects SELECT TG_TABLE_NAME, ${KEY_OF[table]} FROM (SELECT NEW.*) AS told; RETURN NEW; END $$`);
    await sql(`CREATE TRIGGER note_row BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION note_${table}()`);
    // oxlint-enable no-await-in-loop
  }
}

/** Asks for what had more than one effect: `in_table`, `key` as in `KEY_OF`, and `effects`, each with its time. */
export const DOUBLED = `SELECT in_table, key, string_agg(concat_ws(' at ', how, at), ', ' ORDER BY at) AS effects
  FROM effects GROUP BY in_table, key HAVING count(*) > 1`;
