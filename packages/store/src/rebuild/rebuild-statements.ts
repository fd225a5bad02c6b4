import { quoteName, quoteText } from '../connection/database-url.ts';
import { plainArray, type Statement } from '../connection/statement.ts';
import { toMs } from '../find/found-event.ts';
import { LEDGER_WITH_BODIES, STORED_BYTES } from '../ledger/bodies.ts';
import type { Lease } from '../operations/operation-statements.ts';
import { inSchema, REBUILT_TABLES } from './rebuilt-tables.ts';
import type { RebuildState } from './rebuild-state.ts';

/** A step of the function `landline_rebuild`: its migration says what each does. */
export type RebuildStep = 'begin' | 'index' | 'analyze' | 'swap' | 'drop' | 'unfollow';

/** Has the owner of the tables do a step. The row has `result`. */
export function stepStatement(step: RebuildStep, target: string): Statement {
  return { sql: `SELECT landline_rebuild('${step}', $1::text) AS result`, parameters: [target] };
}

/** Limits of a transaction that holds locks which events wait for, in ms: of a wait for a lock, of a statement, and of a pause between two. */
export function shortLimits({ lockMs, statementMs }: { lockMs: number; statementMs: number }): Statement {
  return {
    sql: `SELECT set_config('lock_timeout', '${lockMs}', true), set_config('statement_timeout', '${statementMs}', true),
      set_config('idle_in_transaction_session_timeout', '${statementMs}', true)`,
    parameters: [],
  };
}

/** Has names without a schema looked up in this one first, and then where they were before: not every table is rebuilt. Until the transaction ends. */
export function searchFirst(schema: string): Statement {
  return {
    sql: `SELECT set_config('search_path', ${quoteText(`${quoteName(schema)}, `)} || current_setting('search_path'), true)`,
    parameters: [],
  };
}

/** Has names without a schema looked up in this one; undefined: as role and database say. Until the transaction ends. */
export function searchOnly(schema: string | undefined): Statement {
  const path = schema === undefined ? 'NULL' : quoteText(quoteName(schema));
  return { sql: `SELECT set_config('search_path', ${path}, true)`, parameters: [] };
}

/** The locks under which nothing changes that a rebuild follows. The ledger is the first, as in every transaction of events. */
export const STOP_WRITERS: Statement = {
  sql: `LOCK TABLE webhook_events, ONLY webhook_bodies, conversations, user_profiles, conversation_recordings IN SHARE ROW EXCLUSIVE MODE`,
  parameters: [],
};

/** Returns a row where this worker has the operation still. Nobody else can claim it until the transaction ends. */
export function heldStatement({ id, fence }: Lease): Statement {
  return {
    sql: `SELECT true AS is_held FROM operations WHERE id = $1::text::uuid AND fence = $2::text::bigint AND status = 'running' FOR SHARE`,
    parameters: [id, String(fence)],
  };
}

/** Notes the code that folds, and the first state. */
export function beganStatement(schema: string, code: string, state: RebuildState): Statement {
  return {
    sql: `UPDATE ${inSchema(schema, 'landline_rebuild')} SET code = $1::text, state = $2::text::jsonb`,
    parameters: [code, JSON.stringify(state)],
  };
}

/** Asks whether a schema is there. */
export function isThereStatement(schema: string): Statement {
  return {
    sql: `SELECT to_regclass(${quoteText(inSchema(schema, 'landline_rebuild'))}) IS NOT NULL AS is_there`,
    parameters: [],
  };
}

/** Notes which operation swaps the tables: it may be a later one than that which made them. */
export function claimStatement(schema: string, operation: string): Statement {
  return {
    sql: `UPDATE ${inSchema(schema, 'landline_rebuild')} SET operation = $1::text::uuid`,
    parameters: [operation],
  };
}

/**
 * Reads the code and the state.
 *
 * @param isHeld  Whether the row is locked until the transaction ends: whoever takes over what has changed does so alone.
 */
export function stateStatement(schema: string, isHeld: boolean): Statement {
  return {
    sql: `SELECT code, state FROM ${inSchema(schema, 'landline_rebuild')}${isHeld ? ' FOR UPDATE' : ''}`,
    parameters: [],
  };
}

/**
 * Writes the next state. No row: another worker has written one in between.
 *
 * @param isAgain  Whether the next state may be there already, because the answer to this statement was lost before.
 */
export function nextStateStatement(
  schema: string,
  [state, next]: readonly [RebuildState, RebuildState],
  isAgain: boolean,
): Statement {
  const expected = isAgain ? 'state IN ($1::text::jsonb, $2::text::jsonb)' : 'state = $1::text::jsonb';
  return {
    sql: `
    UPDATE ${inSchema(schema, 'landline_rebuild')} SET state = $2::text::jsonb WHERE ${expected} RETURNING true AS is_ours`,
    parameters: [JSON.stringify(state), JSON.stringify(next)],
  };
}

/**
 * Takes what has changed since: at most so many events, and who was touched otherwise. The latter only where all events are taken: what one transaction has
 * noted is either seen whole or not at all.
 */
export function takeChangesStatement(schema: string, limit: number): Statement {
  const pending = inSchema(schema, 'landline_pending');
  return {
    sql: `
    WITH events AS (
      DELETE FROM ${pending} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${pending} LIMIT $1::text::int)) RETURNING event_id
    ), touched AS (
      DELETE FROM ${inSchema(schema, 'landline_touched')}
      WHERE (SELECT count(*) FROM (SELECT FROM ${pending} LIMIT $1::text::int + 1) AS few) <= $1::text::int
      RETURNING kind, key, is_deleted
    )
    SELECT 'event' AS kind, event_id::text AS key, false AS is_deleted FROM events
    UNION ALL SELECT kind, key, is_deleted FROM touched`,
    parameters: [String(limit)],
  };
}

/** Tells which of these events are applied, and how many bytes their bodies have here; null where a body is gone. */
export function foldableStatement(ids: readonly string[]): Statement {
  return {
    sql: `
    SELECT e.id::text, ${STORED_BYTES}::float8 AS "storedBytes" FROM ${LEDGER_WITH_BODIES}
    WHERE e.id = ANY ($1::uuid[]) AND e.outcome = 'applied'
    ORDER BY e.received_at, e.id`,
    parameters: [plainArray(ids)],
  };
}

/** Counts what a rebuild would fold. */
export const PLAN: Statement = {
  sql: `
    SELECT count(*)::float8 AS events, count(*) FILTER (WHERE b.event_id IS NULL)::float8 AS "withoutBody",
      COALESCE(sum(e.body_bytes) FILTER (WHERE b.event_id IS NOT NULL), 0)::float8 AS "bodyBytes",
      (SELECT sum(pg_total_relation_size(t::regclass)) FROM unnest(ARRAY[${REBUILT_TABLES.map(({ name }) => `'${name}'`).join(', ')}]) AS t)::float8
        AS "tableBytes"
    FROM webhook_events AS e LEFT JOIN webhook_bodies AS b ON b.received_at = e.received_at AND b.event_id = e.id
    WHERE e.outcome = 'applied'`,
  parameters: [],
};

/** Counts what a rebuild folds. */
export const COUNT_APPLIED: Statement = {
  sql: `SELECT count(*)::float8 AS events FROM webhook_events WHERE outcome = 'applied'`,
  parameters: [],
};

/** Lists the schemas that hold tables of a rebuild, of whatever ledger. */
export const SCHEMAS: Statement = {
  sql: `
    SELECT n.nspname::text AS schema FROM pg_namespace AS n JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'landline_rebuild'
    WHERE n.nspname ~ '^landline_(rebuild|before)_' AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
    ORDER BY n.nspname`,
  parameters: [],
};

/** Describes the tables in a schema, where they are of this ledger. */
export function keptStatement(schema: string): Statement {
  return {
    sql: `
    SELECT ${quoteText(schema)} AS schema, operation::text, ${toMs('made_at')} AS "madeAt",
      (SELECT COALESCE(sum(pg_total_relation_size(c.oid)), 0) FROM pg_class AS c
       WHERE c.relnamespace = ${quoteText(quoteName(schema))}::regnamespace AND c.relkind = 'r')::float8 AS bytes
    FROM ${inSchema(schema, 'landline_rebuild')} WHERE ledger = 'webhook_events'::regclass`,
    parameters: [],
  };
}

const TABLE_OIDS = `ARRAY[${REBUILT_TABLES.map(({ name }) => `'${name}'::regclass::oid`).join(', ')}]`;

/** Lists what somebody else has made on the tables, and what would stay with the old ones: one text each. */
export const DEPENDENTS: Statement = {
  sql: `
    SELECT DISTINCT 'the view ' || v.oid::regclass AS what
    FROM pg_depend AS d JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid JOIN pg_class AS v ON v.oid = r.ev_class
    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY (${TABLE_OIDS})
    UNION SELECT 'the function ' || d.objid::regprocedure FROM pg_depend AS d
    WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY (${TABLE_OIDS})
    UNION SELECT format('the foreign key %I of %s', k.conname, k.conrelid::regclass) FROM pg_constraint AS k
    WHERE k.contype = 'f' AND (k.confrelid = ANY (${TABLE_OIDS}) OR k.conrelid = ANY (${TABLE_OIDS}))
    UNION SELECT format('the trigger %I of %s', g.tgname, g.tgrelid::regclass) FROM pg_trigger AS g JOIN pg_proc AS p ON p.oid = g.tgfoid
    WHERE NOT g.tgisinternal AND g.tgrelid = ANY (${TABLE_OIDS}) AND p.proname <> 'landline_rebuild_note'
    UNION SELECT format('the policy %I of %s', polname, polrelid::regclass) FROM pg_policy WHERE polrelid = ANY (${TABLE_OIDS})
    UNION SELECT format('the publication %I', pubname) FROM pg_publication_rel AS r JOIN pg_publication AS p ON p.oid = r.prpubid
    WHERE r.prrelid = ANY (${TABLE_OIDS})
    UNION SELECT 'the table ' || inhrelid::regclass FROM pg_inherits WHERE inhparent = ANY (${TABLE_OIDS})
    ORDER BY what`,
  parameters: [],
};

/** Lists the days (UTC, such as `20260105`) that have a partition of bodies. */
export const BODY_DAYS: Statement = {
  sql: `
    SELECT right(c.relname, 8) AS day FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'webhook_bodies'::regclass AND c.relname ~ '^webhook_bodies_[0-9]{8}$' ORDER BY 1`,
  parameters: [],
};
