import type { Json } from '@landline/webhook';
import type { MergedRow } from './merged-row.ts';
import type { ColumnType, MergedTable } from './merged-tables.ts';
import { clockArray, json, timestamp, type Parameter, type Statement } from './statement.ts';

/**
 * The statement that merges `rows` into `table`: one INSERT … ON CONFLICT over all of them, whose rules are those of
 * `MergedTable`. It locks every row it names, in the order of `rows`, and writes only those that change.
 *
 * @param rows  At most one for a key, sorted by key.
 */
export function mergeStatement(table: MergedTable, rows: readonly MergedRow[]): Statement {
  const columns = columnsOf(table);
  return {
    sql: SQL.get(table) ?? remember(table, columns),
    parameters: columns.map((column) => rows.map(column.value)),
  };
}

const SQL = new Map<MergedTable, string>();

function remember(table: MergedTable, columns: readonly Column[]): string {
  const sql = mergeSql(table, columns);
  SQL.set(table, sql);
  return sql;
}

interface Column {
  name: string;
  /** The type of the array that the parameter is sent as. */
  sent: string;
  /** The type that the column has, where Postgres must be told. */
  cast?: 'jsonb' | 'uuid' | 'uuid[]';
  value: (row: MergedRow) => Parameter;
}

function columnsOf(table: MergedTable): Column[] {
  const columns: Column[] = [
    ...table.key.map((name, i) => ({ name, sent: 'text', value: (row: MergedRow) => row.key[i] ?? null })),
    ...table.registers.map(([name, type]) => registerColumn(name, type)),
    {
      name: 'clocks',
      sent: 'text',
      cast: 'uuid[]',
      value: (row) => clockArray(table.registers.map(([name]) => row.registers[name]?.clock ?? null)),
    },
    { name: table.earliest, sent: 'timestamptz', value: (row) => timestamp(row.earliest) },
  ];
  if (table.latest) columns.push({ name: table.latest, sent: 'timestamptz', value: (row) => timestamp(row.latest) });
  if (table.greatestClock) {
    columns.push({ name: table.greatestClock, sent: 'text', cast: 'uuid', value: (row) => row.greatestClock });
  }
  if (table.map) columns.push(...mapColumns(table.map));
  return columns;
}

function registerColumn(name: string, type: ColumnType): Column {
  const register = (row: MergedRow) => row.registers[name]?.value ?? null;
  switch (type) {
    case 'jsonb':
      return { name, sent: 'text', cast: 'jsonb', value: (row) => json(register(row)) };
    case 'timestamptz':
      return { name, sent: type, value: (row) => timestamp(Number(register(row) ?? Number.NaN)) };
    case 'text':
    case 'float8':
    case 'boolean':
      return { name, sent: type, value: (row) => plain(register(row)) };
  }
}

/** A text, a number or a boolean; never an object, which goes to a jsonb column. */
function plain(value: Json): Parameter {
  return value === null ? null : typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function mapColumns(name: string): Column[] {
  return [
    { name, sent: 'text', cast: 'jsonb', value: (row) => mapObject(row, 'value') },
    { name: `${name}_clocks`, sent: 'text', cast: 'jsonb', value: (row) => mapObject(row, 'clock') },
  ];
}

function mapObject(row: MergedRow, part: 'value' | 'clock'): string {
  return JSON.stringify(Object.fromEntries([...row.map].map(([key, register]) => [key, register[part]])));
}

function mergeSql(table: MergedTable, columns: readonly Column[]): string {
  const names = columns.map(({ name }) => name).join(', ');
  const arrays = columns.map(({ sent }, i) => `$${i + 1}::${sent}[]`).join(', ');
  const selected = columns.map(({ name, cast }) => (cast ? `e.${name}::${cast}` : `e.${name}`)).join(', ');
  return `
    INSERT INTO ${table.name} AS t (${names})
    SELECT ${selected}
    FROM unnest(${arrays}) AS e (${names})
    ${table.outranked ? NOT_OUTRANKED : ''}
    ON CONFLICT (${table.key.join(', ')}) DO UPDATE SET
      ${assignments(table).join(',\n      ')}
    WHERE ${changed(table).join('\n      OR ')}`;
}

/**
 * What was told live counts until the conversation has a transcript; of several transcripts the one with the greatest
 * clock counts. The conversation's row was locked earlier in the transaction, so this cannot change under us.
 */
export const NOT_OUTRANKED = `
    JOIN conversations c ON c.id = e.conversation_id
    WHERE CASE e.source
      WHEN 'live' THEN c.transcript_clock IS NULL
      ELSE e.clock::uuid = c.transcript_clock
    END`;

function assignments(table: MergedTable): string[] {
  const set = table.registers.map(
    ([name], i) => `${name} = CASE WHEN ${isNewer(i + 1)} THEN EXCLUDED.${name} ELSE t.${name} END`,
  );
  set.push(`clocks = ${greatestClocks(table)}`);
  set.push(`${table.earliest} = LEAST(t.${table.earliest}, EXCLUDED.${table.earliest})`);
  if (table.latest) set.push(`${table.latest} = GREATEST(t.${table.latest}, EXCLUDED.${table.latest})`);
  if (table.greatestClock) {
    set.push(`${table.greatestClock} = GREATEST(t.${table.greatestClock}, EXCLUDED.${table.greatestClock})`);
  }
  if (table.map) set.push(...mapAssignments(table.map));
  return set;
}

/** Whether the incoming register's clock is there and no less than the stored one (GREATEST passes over nulls). */
function isNewer(place: number): string {
  return `EXCLUDED.clocks[${place}] >= GREATEST(EXCLUDED.clocks[${place}], t.clocks[${place}])`;
}

function greatestClocks(table: MergedTable): string {
  const greatest = table.registers.map((_, i) => `GREATEST(t.clocks[${i + 1}], EXCLUDED.clocks[${i + 1}])`);
  return `ARRAY[${greatest.join(', ')}]`;
}

/** Key by key the value with the greater clock; where one side is empty, the other as it is. */
function mapAssignments(map: string): string[] {
  const clocks = `${map}_clocks`;
  const merged = (column: string) => `
        CASE
          WHEN EXCLUDED.${clocks} = '{}' THEN t.${column}
          WHEN t.${clocks} = '{}' THEN EXCLUDED.${column}
          ELSE (
            SELECT jsonb_object_agg(key, CASE
              WHEN n.clock COLLATE "C" >= COALESCE(o.clock, '') THEN EXCLUDED.${column} -> key
              ELSE t.${column} -> key
            END)
            FROM jsonb_each_text(t.${clocks}) AS o (key, clock)
            FULL JOIN jsonb_each_text(EXCLUDED.${clocks}) AS n (key, clock) USING (key)
          )
        END`;
  return [`${map} = ${merged(map)}`, `${clocks} = ${merged(clocks)}`];
}

function changed(table: MergedTable): string[] {
  const conditions = [
    `t.clocks IS DISTINCT FROM ${greatestClocks(table)}`,
    `EXCLUDED.${table.earliest} < t.${table.earliest}`,
  ];
  if (table.latest) conditions.push(`EXCLUDED.${table.latest} > t.${table.latest}`);
  if (table.greatestClock) {
    conditions.push(
      `GREATEST(t.${table.greatestClock}, EXCLUDED.${table.greatestClock}) IS DISTINCT FROM t.${table.greatestClock}`,
    );
  }
  if (table.map) conditions.push(`NOT t.${table.map}_clocks @> EXCLUDED.${table.map}_clocks`);
  return conditions;
}
