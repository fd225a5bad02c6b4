import { plainArray, textArray, type Statement } from '../connection/statement.ts';
import { clockIn, LISTED_COLUMNS } from '../reconcile/list-statement.ts';
import { inSchema, ownerColumn, REBUILT_TABLES, type Owner } from './rebuilt-tables.ts';

// What the ledger cannot give any more is carried over: the rows are copied as they are. `landline_carried` names whose rows these are, and whether they are
// copied. A conversation is carried over where one of the following holds:
//
// - one of its applied events has no body any more, or the ledger has no applied event of it at all;
// - it is erased;
// - somebody deletes its row while the rebuild runs: then nothing is copied, and nothing of it is left.
//
// A profile is carried over where a conversation that is carried over names it, where its first or last event has no body any more, or where somebody
// deletes it meanwhile.

/** Column of a later version: it is asked for in the catalogue first. */
export const ERASED_COLUMN = `SELECT true AS is_there FROM pg_attribute WHERE attrelid = 'conversations'::regclass AND attname = 'erased_at' AND NOT attisdropped`;

const AGAIN = 'ON CONFLICT (kind, key) DO UPDATE SET is_copied = false';

/** Carries over the conversations of these events of the ledger. */
export function carryEventsStatement(schema: string, eventIds: readonly string[]): Statement {
  return {
    sql: `
    INSERT INTO ${carried(schema)} AS k (kind, key)
    SELECT DISTINCT 'conversation', e.conversation_id FROM webhook_events AS e
    WHERE e.id = ANY ($1::uuid[]) AND e.conversation_id IS NOT NULL
    ${AGAIN}`,
    parameters: [plainArray(eventIds)],
  };
}

/** Carries over the conversations of all events that were received on a day (UTC, such as `20260105`), because its bodies were dropped. */
export function carryDayStatement(schema: string, day: string): Statement {
  const start = `(to_date($1::text, 'YYYYMMDD')::timestamp AT TIME ZONE 'UTC')`;
  return {
    sql: `
    INSERT INTO ${carried(schema)} AS k (kind, key)
    SELECT DISTINCT 'conversation', e.conversation_id FROM webhook_events AS e
    WHERE e.outcome = 'applied' AND e.conversation_id IS NOT NULL
      AND e.received_at >= ${start} AND e.received_at < ${start} + interval '1 day'
    ${AGAIN}`,
    parameters: [day],
  };
}

/**
 * Carries over the conversations that are erased or of which the ledger has no applied event.
 *
 * @param isErasedKnown  Whether conversations have the column `erased_at`.
 * @param ids            Only of these; by default of all.
 */
export function carryUnknownStatement(schema: string, isErasedKnown: boolean, ids?: readonly string[]): Statement {
  const erased = isErasedKnown ? 'c.erased_at IS NOT NULL OR ' : '';
  return {
    sql: `
    INSERT INTO ${carried(schema)} AS k (kind, key)
    SELECT 'conversation', c.id FROM conversations AS c
    WHERE ${ids === undefined ? '' : 'c.id = ANY ($1::text[]) AND '}(${erased}NOT EXISTS (
      SELECT FROM webhook_events AS e WHERE e.conversation_id = c.id AND e.outcome = 'applied'))
    ${AGAIN}`,
    parameters: ids === undefined ? [] : [textArray(ids)],
  };
}

/** Carries over the profiles that differ in their first or last time, where no event that can still be folded has that time. */
export function carryProfilesStatement(schema: string): Statement {
  return {
    sql: `
    WITH suspects AS MATERIALIZED (
      SELECT o.user_id, o.first_seen_at, o.last_seen_at
      FROM user_profiles AS o LEFT JOIN ${inSchema(schema, 'user_profiles')} AS n USING (user_id)
      WHERE n.user_id IS NULL OR n.first_seen_at <> o.first_seen_at OR n.last_seen_at <> o.last_seen_at
    ), known AS MATERIALIZED (
      SELECT DISTINCT e.event_at FROM webhook_events AS e
      WHERE e.outcome = 'applied' AND e.event_at IN (SELECT first_seen_at FROM suspects UNION SELECT last_seen_at FROM suspects)
        AND NOT EXISTS (SELECT FROM ${carried(schema)} AS k WHERE k.kind = 'conversation' AND k.key = e.conversation_id)
    )
    INSERT INTO ${carried(schema)} AS k (kind, key)
    SELECT 'profile', s.user_id FROM suspects AS s
    WHERE s.first_seen_at NOT IN (SELECT event_at FROM known) OR s.last_seen_at NOT IN (SELECT event_at FROM known)
    ${AGAIN}`,
    parameters: [],
  };
}

/** Carries over what these owners have, or has it copied again where it is carried over already. */
export function carryOwnersStatement(
  schema: string,
  { kind, keys, onlyCarried }: { kind: Owner; keys: readonly string[]; onlyCarried: boolean },
): Statement {
  const sql = onlyCarried
    ? `UPDATE ${carried(schema)} SET is_copied = false WHERE kind = '${kind}' AND key = ANY ($1::text[])`
    : `INSERT INTO ${carried(schema)} AS k (kind, key) SELECT DISTINCT '${kind}', key FROM unnest($1::text[]) AS u (key) ${AGAIN}`;
  return { sql, parameters: [textArray(keys)] };
}

/** Has the conversations of these events copied again, where they are carried over. */
export function copyAgainStatement(schema: string, eventIds: readonly string[]): Statement {
  return {
    sql: `
    UPDATE ${carried(schema)} AS k SET is_copied = false FROM webhook_events AS e
    WHERE e.id = ANY ($1::uuid[]) AND k.kind = 'conversation' AND k.key = e.conversation_id`,
    parameters: [plainArray(eventIds)],
  };
}

/** Chooses owners whose rows are not copied yet. */
export function uncopiedStatement(schema: string, limit: number): Statement {
  return {
    sql: `
    SELECT kind, key FROM ${carried(schema)} WHERE NOT is_copied ORDER BY kind, key LIMIT $1::text::int`,
    parameters: [String(limit)],
  };
}

/**
 * Copies what these owners have. The profiles that conversations name are carried over with them; what the rebuilt row names counts as well, because an erased
 * conversation names nobody any more.
 */
export function copyStatements(schema: string, kind: Owner, keys: readonly string[]): Statement[] {
  const parameters = [textArray(keys)];
  const tables = REBUILT_TABLES.filter(({ of }) => of === kind);
  const copies = tables.flatMap((table) => {
    const own = `${ownerColumn(table)} = ANY ($1::text[])`;
    const rebuilt = inSchema(schema, table.name);
    return [`DELETE FROM ${rebuilt} WHERE ${own}`, `INSERT INTO ${rebuilt} SELECT * FROM ${table.name} WHERE ${own}`];
  });
  const before = kind === 'conversation' ? [namedProfiles(schema)] : [];
  return [...before, ...copies, ...copiedSql(schema, kind)].map((sql) => ({ sql, parameters }));
}

/** Who is deleted leaves no name here either: what comes of them from now on is folded, as it is applied to the tables that are read. */
function copiedSql(schema: string, kind: Owner): string[] {
  const own = `kind = '${kind}' AND key = ANY ($1::text[])`;
  const rows = kind === 'profile' ? 'user_profiles AS o WHERE o.user_id' : 'conversations AS o WHERE o.id';
  return [
    `DELETE FROM ${carried(schema)} AS k WHERE ${own} AND NOT EXISTS (SELECT FROM ${rows} = k.key)`,
    `UPDATE ${carried(schema)} SET is_copied = true WHERE ${own}`,
  ];
}

function namedProfiles(schema: string): string {
  const names = ['conversations', inSchema(schema, 'conversations')].flatMap((table) =>
    ['user_id', 'external_number'].map((column) => `SELECT ${column} AS key FROM ${table} WHERE id = ANY ($1::text[])`),
  );
  return `
    INSERT INTO ${carried(schema)} AS k (kind, key)
    SELECT 'profile', named.key FROM (${names.join(' UNION ')}) AS named
    WHERE EXISTS (SELECT FROM user_profiles AS o WHERE o.user_id = named.key)
       OR EXISTS (SELECT FROM ${inSchema(schema, 'user_profiles')} AS n WHERE n.user_id = named.key)
    ${AGAIN}`;
}

/**
 * Copies what no event tells of the recordings of rebuilt conversations: that the audio was deleted, and where it lies, where only a repeated delivery kept it.
 *
 * @param columns  All but those of the key.
 * @param ids      Only of these conversations; by default of all.
 */
export function recordingsStatement(schema: string, columns: readonly string[], ids?: readonly string[]): Statement {
  return {
    sql: `
    UPDATE ${inSchema(schema, 'conversation_recordings')} AS n
    SET ${columns.map((name) => `${name} = o.${name}`).join(', ')}
    FROM conversation_recordings AS o
    WHERE o.conversation_id = n.conversation_id AND o.sha256 = n.sha256
      AND ((o.deleted_at IS NOT NULL AND n.deleted_at IS NULL) OR (o.url IS NOT NULL AND n.url IS NULL))
      ${ids === undefined ? '' : 'AND o.conversation_id = ANY ($1::text[])'}`,
    parameters: ids === undefined ? [] : [textArray(ids)],
  };
}

/** Whether the list alone has said something of a column. */
const isListed = (name: string) =>
  `n.${name} IS DISTINCT FROM o.${name} AND o.completeness IS NOT NULL AND ${clockIn('o', name)} IS NULL AND ${clockIn('n', name)} IS NULL`;

/**
 * Copies what no event tells of rebuilt conversations, and a comparison with the provider has found: how complete they are, why, and what the provider's list
 * alone says of them.
 *
 * @param ids  Only of these; by default of all.
 */
export function listedStatement(schema: string, ids?: readonly string[]): Statement {
  return {
    sql: `
    UPDATE ${inSchema(schema, 'conversations')} AS n
    SET completeness = o.completeness, completeness_reason = o.completeness_reason,
      ${LISTED_COLUMNS.map((name) => `${name} = CASE WHEN ${isListed(name)} THEN o.${name} ELSE n.${name} END`).join(',\n      ')}
    FROM conversations AS o
    WHERE o.id = n.id ${ids === undefined ? '' : 'AND o.id = ANY ($1::text[])'}
      AND ((n.completeness, n.completeness_reason) IS DISTINCT FROM (o.completeness, o.completeness_reason)
        OR ${LISTED_COLUMNS.map((name) => `(${isListed(name)})`).join(' OR ')})`,
    parameters: ids === undefined ? [] : [textArray(ids)],
  };
}

function carried(schema: string): string {
  return inSchema(schema, 'landline_carried');
}
