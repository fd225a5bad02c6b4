import type { Statement } from '../connection/statement.ts';
import { clockColumnsOf, clockOf, columnsOf, type SentColumn } from './merge-columns.ts';
import type { MergedRow } from './merged-row.ts';
import type { LookedUp, MergedTable } from './merged-table.ts';
import { saidOf, whatIsSaid, type Said } from './said.ts';

/**
 * The statement that merges `rows` into `table`: one INSERT … ON CONFLICT over all of them, whose rules are those of
 * `MergedTable`. It locks every row it names, in the order of `rows`, and writes only those that change. It names only the columns that
 * one of the rows says something about.
 *
 * @param rows  At most one for a key, sorted by key.
 */
export function mergeStatement(table: MergedTable, rows: readonly MergedRow[]): Statement {
  const { merge, columns } = mergeOf(table, rows);
  return { sql: merge, parameters: columns.map((column) => column.parameter(rows)) };
}

/**
 * The statement that inserts those of `rows` whose key no row has, and returns the keys that it inserted. It waits for a transaction that
 * is inserting the same key, and locks no row that is there.
 *
 * @param rows  At most one for a key, sorted by key.
 */
export function insertStatement(table: MergedTable, rows: readonly MergedRow[]): Statement {
  const { insert, columns } = mergeOf(table, rows);
  return { sql: insert, parameters: columns.map((column) => column.parameter(rows)) };
}

interface Merge {
  merge: string;
  insert: string;
  /** One for each parameter. */
  columns: readonly SentColumn[];
}

/** So many statements are kept. The usual events need a dozen; others, whose fields a sender may mix, cost a text each. */
const MOST_KEPT = 200;

const merges = new Map<string, Merge>();

function mergeOf(table: MergedTable, rows: readonly MergedRow[]): Merge {
  const what = whatIsSaid(table, rows);
  const name = `${table.name}: ${what}`;
  const known = merges.get(name);
  if (known !== undefined) return known;
  if (merges.size >= MOST_KEPT) merges.clear();
  const merge = makeMerge(table, saidOf(table, what));
  merges.set(name, merge);
  return merge;
}

function makeMerge(table: MergedTable, said: Said): Merge {
  const columns = columnsOf(table, said);
  const clocks = clockColumnsOf(said);
  const insert = insertSql(table, said, { columns, clocks });
  return {
    merge: `${insert} DO UPDATE SET
      ${assignments(table, said).join(',\n      ')}
    WHERE ${changed(table, said).join('\n      OR ')}`,
    insert: `${insert} DO NOTHING
    RETURNING ${table.key.join(', ')}`,
    columns: [...columns, ...clocks],
  };
}

function insertSql(
  table: MergedTable,
  { lookedUp, clocks: saidClocks, maps }: Said,
  { columns, clocks }: Record<'columns' | 'clocks', readonly SentColumn[]>,
): string {
  const sent = [...columns, ...clocks];
  const written = columns.map(({ name, read }) => [name, read(`e.${name}`)] as const);
  const placed = table.registers.map((_, i) => saidClocks.find(({ place }) => place === i + 1));
  const all = placed.map((clock) => (clock === undefined ? 'NULL' : `e.${clockOf(clock.of)}`));
  const values = new Map([...written, ['clocks', `ARRAY[${all.join(', ')}]::uuid[]`]]);
  if (lookedUp !== undefined && maps.includes(lookedUp.map) && saidClocks.some(({ of }) => of === lookedUp.by)) {
    values.set(lookedUp.column, `e.${lookedUp.map}::jsonb ->> e.${lookedUp.by}`);
  }
  return `
    INSERT INTO ${table.name} AS t (${[...values.keys()].join(', ')})
    SELECT ${[...values.values()].join(', ')}
    FROM unnest(${sent.map((column, i) => `$${i + 1}::${column.sent}[]`).join(', ')})
      AS e (${sent.map(({ name }) => name).join(', ')})
    ON CONFLICT (${table.key.join(', ')})`;
}

function assignments(table: MergedTable, said: Said): string[] {
  const { lookedUp, greatestClock } = said;
  const set = said.registers.map(([name]) => `${name} = ${latest(table, name)}`);
  if (lookedUp) set.push(`${lookedUp.column} = ${found(table, lookedUp)}`);
  for (const { place } of said.clocks) set.push(`clocks[${place}] = ${greatest(`clocks[${place}]`)}`);
  set.push(`${table.earliest} = ${earliestTime(table)}`);
  if (table.latest) set.push(`${table.latest} = ${latestTime(table, said, table.latest)}`);
  if (greatestClock) set.push(`${greatestClock} = ${greatest(greatestClock)}`);
  for (const map of said.maps) set.push(...mapAssignments(map));
  if (table.changedAt) set.push(`${table.changedAt} = DEFAULT`);
  return set;
}

function greatest(column: string): string {
  return `GREATEST(t.${column}, EXCLUDED.${column})`;
}

/**
 * Whether no event has written the row yet: it holds what the provider's list says, without clocks, and its times are no events'. Undefined for tables whose
 * rows come from events alone. See reconcile/list-statement.ts.
 */
function hasNoEvent({ registers, implied = {} }: MergedTable): string | undefined {
  const [name] = Object.keys(implied);
  return name === undefined
    ? undefined
    : `t.clocks[${registers.findIndex(([register]) => register === name) + 1}] IS NULL`;
}

function earliestTime(table: MergedTable): string {
  const [stored, incoming] = [`t.${table.earliest}`, `EXCLUDED.${table.earliest}`];
  const isFirst = hasNoEvent(table);
  const least = `LEAST(${stored}, ${incoming})`;
  return isFirst === undefined ? least : `CASE WHEN ${isFirst} THEN ${incoming} ELSE ${least} END`;
}

/** The latest time at which an event says something; while none does, the earliest time. */
function latestTime(table: MergedTable, said: Said, column: string): string {
  const [stored, incoming] = [`t.${column}`, `EXCLUDED.${column}`];
  if (table.implied === undefined) return greatest(column);
  return `CASE
        WHEN ${saysSomething(table, said, 'EXCLUDED')} THEN CASE WHEN ${saysSomething(table, table, 't')} THEN ${greatest(column)} ELSE ${incoming} END
        WHEN ${saysSomething(table, table, 't')} THEN ${stored}
        WHEN ${hasNoEvent(table)} THEN ${incoming}
        ELSE LEAST(${stored}, ${incoming})
      END`;
}

/** Whether an event said something of a row: no register's clock ever goes, so what it wrote tells. */
function saysSomething(
  { registers, implied = {} }: MergedTable,
  { registers: said, greatestClock, maps = [] }: Pick<MergedTable, 'registers' | 'greatestClock' | 'maps'> | Said,
  row: string,
): string {
  const signs = said.map(([name]) => {
    const clock = `${row}.clocks[${registers.findIndex(([register]) => register === name) + 1}]`;
    const bound = implied[name];
    return bound === undefined ? `${clock} IS NOT NULL` : `COALESCE(${clock} > '${bound}', false)`;
  });
  if (greatestClock !== undefined) signs.push(`${row}.${greatestClock} IS NOT NULL`);
  for (const map of maps) signs.push(`${row}.${map}_clocks <> '{}'`);
  return signs.length === 0 ? 'false' : `(${signs.join(' OR ')})`;
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

function changed(table: MergedTable, said: Said): string[] {
  const { latest: latestColumn, earliest } = table;
  const greater = [...said.clocks.map(({ place }) => `clocks[${place}]`), said.greatestClock ?? []].flat();
  return [
    ...greater.map((column) => `${greatest(column)} IS DISTINCT FROM t.${column}`),
    `EXCLUDED.${earliest} < t.${earliest}`,
    ...(latestColumn ? [`${latestTime(table, said, latestColumn)} <> t.${latestColumn}`] : []),
    ...said.maps.map((map) => `NOT t.${map}_clocks @> EXCLUDED.${map}_clocks`),
  ];
}
