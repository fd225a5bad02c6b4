import { textArray, type Statement } from '../connection/statement.ts';
import { inSchema, NOT_COMPARED, ownerColumn, type RebuiltTable } from './rebuilt-tables.ts';

/** Values longer than this are cut in a sample, in characters. */
const MOST_CHARACTERS = 500;

/** Differences of a column that are shown. */
const MOST_SAMPLES = 5;

/** The rows of a table that are compared at once. */
export interface Slice {
  schema: string;
  table: RebuiltTable;
  /** The columns that are compared, as the catalogue has them. */
  columns: readonly string[];
  owners: OwnerRange | OwnerList;
}

/** Owners behind `after`, up to `upTo`; undefined: from the first one, to the last one. */
export interface OwnerRange {
  after: string | undefined;
  upTo: string | undefined;
}

/** These owners. */
export interface OwnerList {
  keys: readonly string[];
}

/** Asks for the columns of a table that are compared. */
export function columnsStatement(table: RebuiltTable): Statement {
  const left = NOT_COMPARED.map((name) => `'${name}'`).join(', ');
  return {
    sql: `
    SELECT quote_ident(attname) AS name FROM pg_attribute
    WHERE attrelid = '${table.name}'::regclass AND attnum > 0 AND NOT attisdropped AND attname NOT IN (${left})
      AND NOT attname = ANY ($1::text[])
    ORDER BY attnum`,
    parameters: [`{${table.key.join(',')}}`],
  };
}

/** Asks for the owner that ends a slice of so many owners behind `after`; no row where fewer are left. */
export function sliceEndStatement(table: RebuiltTable, after: string | undefined, owners: number): Statement {
  // Conversations stand for the rows that belong to them.
  const [from, column] = table.of === 'profile' ? ['user_profiles', 'user_id'] : ['conversations', 'id'];
  return {
    sql: `
    SELECT ${column} AS owner FROM ${from} WHERE $1::text = '' OR ${column} > $2::text ORDER BY ${column} OFFSET $3::text::int LIMIT 1`,
    parameters: [after === undefined ? '' : 'after', after ?? '', String(owners - 1)],
  };
}

/**
 * Compares a slice, and notes the owners that it passes over: those whose change is committed and not yet in the rebuilt tables. One statement sees all of
 * that at one moment, so an event that is applied meanwhile makes no difference.
 *
 * It returns one row: `added` and `missing`, and for each column `c1`, `c2`, … how many rows differ in it.
 */
export function compareStatement(slice: Slice): Statement {
  const counts = slice.columns.map((name, i) => `count(*) FILTER (WHERE ${differs(slice, name)})::float8 AS c${i + 1}`);
  const { bothSides, notes, parameters } = sidesOf(slice);
  return {
    sql: `
    WITH ${bothSides}${notes}
    SELECT count(*) FILTER (WHERE ${isAlone(slice, 'n')})::float8 AS added, count(*) FILTER (WHERE ${isAlone(slice, 'o')})::float8 AS missing
      ${counts.map((count) => `, ${count}`).join('\n      ')}
    FROM ${joined(slice)}`,
    parameters,
  };
}

/** Reads examples of a difference in a slice: of a column, or of whole rows (`*`). */
export function sampleStatement(slice: Slice, column: string): Statement {
  const { bothSides, parameters } = sidesOf(slice);
  const isRow = column === '*';
  const key = slice.table.key.map((name) => `'${name}', COALESCE(o.${name}, n.${name})`).join(', ');
  const before = isRow ? rowText(slice, 'o') : shown(`o.${column}`);
  const after = isRow ? rowText(slice, 'n') : shown(`n.${column}`);
  return {
    sql: `
    WITH ${bothSides}
    SELECT jsonb_build_object('key', jsonb_build_object(${key}), 'before', ${before}, 'after', ${after}) AS example
    FROM ${joined(slice)}
    WHERE ${isRow ? `${isAlone(slice, 'n')} OR ${isAlone(slice, 'o')}` : differs(slice, column)}
    LIMIT ${MOST_SAMPLES}`,
    parameters,
  };
}

/** Takes some of a table's owners that were passed over, to compare them now. */
export function takeSkippedStatement(schema: string, table: RebuiltTable, limit: number): Statement {
  const skipped = inSchema(schema, 'landline_skipped');
  return {
    sql: `
    DELETE FROM ${skipped} WHERE table_name = '${table.name}'
      AND key IN (SELECT key FROM ${skipped} WHERE table_name = '${table.name}' LIMIT $1::text::int)
    RETURNING key`,
    parameters: [String(limit)],
  };
}

/** Adds to what is known of a column's differences. `sample`: a JSON array of examples. */
export function addDifferenceStatement(
  schema: string,
  { table, column, rows, sample }: { table: string; column: string; rows: number; sample: string },
): Statement {
  return {
    sql: `
    INSERT INTO ${inSchema(schema, 'landline_differences')} AS d (table_name, column_name, rows, sample)
    VALUES ($1::text, $2::text, $3::text::bigint, $4::text::jsonb)
    ON CONFLICT (table_name, column_name) DO UPDATE SET rows = d.rows + EXCLUDED.rows,
      sample = jsonb_path_query_array(d.sample || EXCLUDED.sample, '$[0 to ${MOST_SAMPLES - 1}]')`,
    parameters: [table, column, String(rows), sample],
  };
}

/** Reads all differences, in the order of the tables and of their columns. */
export function differencesStatement(schema: string): Statement {
  return {
    sql: `
    SELECT table_name AS table, column_name AS column, rows::float8, sample
    FROM ${inSchema(schema, 'landline_differences')} ORDER BY table_name, column_name`,
    parameters: [],
  };
}

interface Sides {
  /** Common table expressions: `passed`, `o` (the tables that are read) and `n` (those that were rebuilt). */
  bothSides: string;
  /** One more, which notes what is passed over. */
  notes: string;
  parameters: string[];
}

function sidesOf({ schema, table, owners }: Slice): Sides {
  const owner = ownerColumn(table);
  const { conditionOn, parameters } = 'keys' in owners ? listCondition(owners) : rangeCondition(owners);
  const chosen = `${conditionOn(owner)} AND ${owner} NOT IN (SELECT key FROM passed)`;
  return {
    bothSides: `passed AS MATERIALIZED (${passedOver(schema, table)}),
      o AS (SELECT * FROM ${table.name} WHERE ${chosen}),
      n AS (SELECT * FROM ${inSchema(schema, table.name)} WHERE ${chosen})`,
    notes: `, noted AS (
        INSERT INTO ${inSchema(schema, 'landline_skipped')} (table_name, key)
        SELECT '${table.name}', key FROM passed WHERE ${conditionOn('key')} ON CONFLICT DO NOTHING)`,
    parameters,
  };
}

interface OwnerCondition {
  conditionOn: (column: string) => string;
  parameters: string[];
}

function rangeCondition({ after, upTo }: OwnerRange): OwnerCondition {
  return {
    conditionOn: (column) =>
      [
        after === undefined ? `$1::text = ''` : `${column} > $1::text`,
        upTo === undefined ? `$2::text = ''` : `${column} <= $2::text`,
      ].join(' AND '),
    parameters: [after ?? '', upTo ?? ''],
  };
}

function listCondition({ keys }: OwnerList): OwnerCondition {
  return { conditionOn: (column) => `${column} = ANY ($1::text[])`, parameters: [textArray(keys)] };
}

/** Conversations with an event that is committed and not folded yet, or that were written or deleted otherwise. */
function passedOver(schema: string, { of }: RebuiltTable): string {
  const touched = `SELECT t.key FROM ${inSchema(schema, 'landline_touched')} AS t WHERE t.kind = '${of}'`;
  if (of === 'profile') return touched;
  return `${touched}
        UNION SELECT e.conversation_id FROM ${inSchema(schema, 'landline_pending')} AS p JOIN webhook_events AS e ON e.id = p.event_id
        WHERE e.conversation_id IS NOT NULL`;
}

function joined({ table }: Slice): string {
  return `o FULL JOIN n ON ${table.key.map((name) => `o.${name} = n.${name}`).join(' AND ')}`;
}

/** Whether a side alone has the row. */
function isAlone({ table }: Slice, side: 'o' | 'n'): string {
  return `${side === 'o' ? 'n' : 'o'}.${ownerColumn(table)} IS NULL`;
}

function differs(slice: Slice, column: string): string {
  const { table } = slice;
  return `o.${ownerColumn(table)} IS NOT NULL AND n.${ownerColumn(table)} IS NOT NULL AND o.${column} IS DISTINCT FROM n.${column}`;
}

function rowText({ table }: Slice, side: 'o' | 'n'): string {
  return `CASE WHEN ${side}.${ownerColumn(table)} IS NOT NULL THEN 'row' END`;
}

function shown(value: string): string {
  return `CASE WHEN length(${value}::text) > ${MOST_CHARACTERS} THEN to_jsonb(left(${value}::text, ${MOST_CHARACTERS}) || '…') ELSE to_jsonb(${value}) END`;
}
