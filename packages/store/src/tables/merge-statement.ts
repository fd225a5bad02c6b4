import type { Register } from '@landline/webhook/changes';
import type { Json } from '@landline/webhook/json';
import type { MergedRow } from './merged-row.ts';
import type { ColumnType, LookedUp, MergedTable } from './merged-table.ts';
import {
  clockArray,
  fromMs,
  json,
  milliseconds,
  plainArray,
  textArray,
  type Parameter,
  type Statement,
} from '../connection/statement.ts';

/**
 * The statement that merges `rows` into `table`: one INSERT … ON CONFLICT over all of them, whose rules are those of
 * `MergedTable`. It locks every row it names, in the order of `rows`, and writes only those that change.
 *
 * @param rows  At most one for a key, sorted by key.
 */
export function mergeStatement(table: MergedTable, rows: readonly MergedRow[]): Statement {
  const { merge, columns } = merges.get(table) ?? remember(table);
  return { sql: merge, parameters: columns.map((column) => column.parameter(rows)) };
}

/**
 * The statement that inserts those of `rows` whose key no row has, and returns the keys that it inserted. It waits for a transaction that
 * is inserting the same key, and locks no row that is there.
 *
 * @param rows  At most one for a key, sorted by key.
 */
export function insertStatement(table: MergedTable, rows: readonly MergedRow[]): Statement {
  const { insert, columns } = merges.get(table) ?? remember(table);
  return { sql: insert, parameters: columns.map((column) => column.parameter(rows)) };
}

interface Merge {
  merge: string;
  insert: string;
  columns: readonly Column[];
}

const merges = new Map<MergedTable, Merge>();

function remember(table: MergedTable): Merge {
  const columns = columnsOf(table);
  const insert = insertSql(table, columns);
  const statements = {
    merge: `${insert} DO UPDATE SET
      ${assignments(table).join(',\n      ')}
    WHERE ${changed(table).join('\n      OR ')}`,
    insert: `${insert} DO NOTHING
    RETURNING ${table.key.join(', ')}`,
    columns,
  };
  merges.set(table, statements);
  return statements;
}

interface Column {
  name: string;
  /** The type of the array that the parameter is sent as. */
  sent: string;
  /** What makes the column's value of an element, where that is not the value itself. */
  read?: (element: string) => string;
  parameter: (rows: readonly MergedRow[]) => Parameter;
}

const asItIs = (element: string) => element;
const asJsonb = (element: string) => `${element}::jsonb`;

function columnsOf(table: MergedTable): Column[] {
  const { lookedUp } = table;
  const written = table.registers.filter(([name]) => name !== lookedUp?.column);
  const clocksOf = table.registers.map(([name]) => (name === lookedUp?.column ? lookedUp.by : name));
  const columns: Column[] = [
    ...table.key.map((name, i) => textColumn(name, (row) => row.key[i] ?? null)),
    ...written.map(([name, type]) => registerColumn(name, type)),
    {
      ...textColumn('clocks', (row) => clockArray(clocksOf.map((name) => row.registers[name]?.clock ?? null))),
      read: (element) => `${element}::uuid[]`,
    },
    timeColumn(table.earliest, (row) => row.earliest),
  ];
  if (table.latest) columns.push(timeColumn(table.latest, (row) => row.latest ?? row.earliest));
  if (table.greatestClock) columns.push(plainColumn(table.greatestClock, 'uuid', (row) => row.greatestClock));
  for (const map of table.maps ?? []) columns.push(mapColumn(map, 'value'), mapColumn(map, 'clock'));
  return columns;
}

function registerColumn(name: string, type: ColumnType): Column {
  const register = (row: MergedRow) => row.registers[name]?.value ?? null;
  switch (type) {
    case 'jsonb':
      return { ...textColumn(name, (row) => json(register(row))), read: asJsonb };
    case 'timestamptz':
      return timeColumn(name, (row) => milliseconds(Number(register(row) ?? Number.NaN)));
    case 'text':
      return textColumn(name, (row) => plain(register(row)));
    case 'float8':
    case 'boolean':
      return plainColumn(name, type, (row) => plain(register(row)));
  }
}

function textColumn(name: string, value: (row: MergedRow) => string | null): Column {
  return { name, sent: 'text', parameter: (rows) => textArray(rows.map(value)) };
}

function plainColumn(name: string, sent: string, value: (row: MergedRow) => string | number | null): Column {
  return { name, sent, parameter: (rows) => plainArray(rows.map(value)) };
}

function timeColumn(name: string, value: (row: MergedRow) => number | null): Column {
  return { ...plainColumn(name, 'float8', value), read: fromMs };
}

/** A text, a number or a boolean; never an object, which goes to a jsonb column. */
function plain(value: Json): string | null {
  return value === null ? null : typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function mapColumn(map: string, part: 'value' | 'clock'): Column {
  const name = part === 'value' ? map : `${map}_clocks`;
  return { ...textColumn(name, ({ maps }) => mapObject(maps[map], part)), read: asJsonb };
}

function mapObject(map: ReadonlyMap<string, Register> | undefined, part: 'value' | 'clock'): string {
  if (map === undefined || map.size === 0) return '{}';
  return JSON.stringify(Object.fromEntries([...map].map(([key, register]) => [key, register[part]])));
}

function insertSql(table: MergedTable, columns: readonly Column[]): string {
  const { lookedUp } = table;
  const names = columns.map(({ name }) => name);
  const arrays = columns.map(({ sent }, i) => `$${i + 1}::${sent}[]`);
  const selected = columns.map(({ name, read = asItIs }) => read(`e.${name}`));
  return `
    INSERT INTO ${table.name} AS t (${[...names, ...(lookedUp ? [lookedUp.column] : [])].join(', ')})
    SELECT ${[...selected, ...(lookedUp ? [`e.${lookedUp.map}::jsonb ->> e.${lookedUp.by}`] : [])].join(', ')}
    FROM unnest(${arrays.join(', ')}) AS e (${names.join(', ')})
    ON CONFLICT (${table.key.join(', ')})`;
}

function assignments(table: MergedTable): string[] {
  const { lookedUp } = table;
  const set = table.registers.map(([name]) =>
    name === lookedUp?.column ? `${name} = ${found(table, lookedUp)}` : `${name} = ${latest(table, name)}`,
  );
  set.push(`clocks = ${greatestClocks(table)}`);
  set.push(`${table.earliest} = LEAST(t.${table.earliest}, EXCLUDED.${table.earliest})`);
  if (table.latest) set.push(`${table.latest} = ${latestTime(table, table.latest)}`);
  if (table.greatestClock) {
    set.push(`${table.greatestClock} = GREATEST(t.${table.greatestClock}, EXCLUDED.${table.greatestClock})`);
  }
  for (const map of table.maps ?? []) set.push(...mapAssignments(map));
  if (table.changedAt) set.push(`${table.changedAt} = DEFAULT`);
  return set;
}

/** The latest time at which an event says something; while none does, the earliest time. */
function latestTime(table: MergedTable, column: string): string {
  const [stored, incoming] = [`t.${column}`, `EXCLUDED.${column}`];
  const greatest = `GREATEST(${stored}, ${incoming})`;
  if (table.implied === undefined) return greatest;
  return `CASE
        WHEN ${saysSomething(table, 'EXCLUDED')} THEN CASE WHEN ${saysSomething(table, 't')} THEN ${greatest} ELSE ${incoming} END
        WHEN ${saysSomething(table, 't')} THEN ${stored}
        ELSE LEAST(${stored}, ${incoming})
      END`;
}

/** Whether an event said something of a row: no register's clock ever goes, so what it wrote tells. */
function saysSomething({ registers, implied = {}, greatestClock, maps = [] }: MergedTable, row: string): string {
  const clocks = registers.map(([name], i) => ({ clock: `${row}.clocks[${i + 1}]`, bound: implied[name] }));
  const own = clocks.filter(({ bound }) => bound === undefined).map(({ clock }) => clock);
  const signs = [
    `num_nonnulls(${[...own, ...(greatestClock === undefined ? [] : [`${row}.${greatestClock}`])].join(', ')}) > 0`,
    ...clocks.flatMap(({ clock, bound }) => (bound === undefined ? [] : [`COALESCE(${clock} > '${bound}', false)`])),
    ...maps.map((map) => `${row}.${map}_clocks <> '{}'`),
  ];
  return `(${signs.join(' OR ')})`;
}

/** The value of a register that will stand. */
function latest(table: MergedTable, register: string): string {
  const place = table.registers.findIndex(([name]) => name === register) + 1;
  return `CASE WHEN ${isNewer(place)} THEN EXCLUDED.${register} ELSE t.${register} END`;
}

/** What the map will hold under the word that will stand; a worker of an older version has set the column alone. */
function found(table: MergedTable, { column, map, by }: LookedUp): string {
  const word = latest(table, by);
  const clockIn = (row: string) => `(${row}.${map}_clocks ->> (${word})) COLLATE "C"`;
  return `CASE
        WHEN EXCLUDED.${by} IS NULL AND EXCLUDED.${map}_clocks = '{}' THEN t.${column}
        WHEN EXCLUDED.${map}_clocks <> '{}' AND ${clockIn('EXCLUDED')} >= COALESCE(${clockIn('t')}, '')
          THEN EXCLUDED.${map} ->> (${word})
        ELSE COALESCE(t.${map} ->> (${word}), CASE WHEN t.${by} = ${word} THEN t.${column} END)
      END`;
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
  if (table.latest) conditions.push(`${latestTime(table, table.latest)} <> t.${table.latest}`);
  if (table.greatestClock) {
    conditions.push(
      `GREATEST(t.${table.greatestClock}, EXCLUDED.${table.greatestClock}) IS DISTINCT FROM t.${table.greatestClock}`,
    );
  }
  for (const map of table.maps ?? []) conditions.push(`NOT t.${map}_clocks @> EXCLUDED.${map}_clocks`);
  return conditions;
}
