import { TABLES, type TableName } from '../../packages/store/test/support/read-tables.ts';
import { TABLE_NAMES } from './tables.ts';

/** Rows by table, as the tables and the reference have them. */
export type Rows = Readonly<Record<TableName, readonly object[]>>;

/** One row that is not as it must be. */
export interface Difference {
  table: TableName;
  /** The row's key, its parts parted by spaces. */
  key: string;
  /** The columns that differ, each with what stands there and what must; `row` where there is a row too many or too few. */
  columns: { name: string; expected: string; actual: string }[];
}

/** A value as text, the keys of every object in it in one order; clocks are left out, for only the store knows them. */
export function printed(value: unknown): string {
  const text: string | undefined = JSON.stringify(value, (name, each: unknown) => {
    if (/clock/.test(name)) return undefined;
    if (typeof each !== 'object' || each === null || Array.isArray(each)) return each;
    return Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
  return text ?? 'nothing';
}

/** A row's key, its parts parted by spaces. */
export function keyOf(table: TableName, row: object): string {
  const columns = new Map(Object.entries(row));
  return TABLES[table]
    .split(', ')
    .map((column) => String(columns.get(column)))
    .join(' ');
}

/** Every row that is in one of the two and not in the other, or not with the same columns. */
export function differencesOf(expected: Rows, actual: Rows): Difference[] {
  return TABLE_NAMES.flatMap((table) => {
    const [wanted, found] = [expected, actual].map(
      (rows) => new Map(rows[table].map((row) => [keyOf(table, row), row])),
    );
    const keys = new Set([...(wanted?.keys() ?? []), ...(found?.keys() ?? [])]);
    return [...keys].flatMap((key): Difference[] => {
      const columns = columnsThatDiffer(wanted?.get(key), found?.get(key));
      return columns.length === 0 ? [] : [{ table, key, columns }];
    });
  });
}

function columnsThatDiffer(wanted: object | undefined, found: object | undefined): Difference['columns'] {
  if (wanted === undefined || found === undefined) {
    return [{ name: 'row', expected: printed(wanted), actual: printed(found) }];
  }
  const [expected, actual] = [wanted, found].map((row) => new Map(Object.entries(row)));
  const names = new Set([...(expected?.keys() ?? []), ...(actual?.keys() ?? [])]);
  return [...names].flatMap((name) => {
    if (/clock/.test(name)) return [];
    const cells = { expected: printed(expected?.get(name)), actual: printed(actual?.get(name)) };
    return cells.expected === cells.actual ? [] : [{ name, ...cells }];
  });
}

const MOST_LETTERS = 200;

function cut(text: string): string {
  return text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS)}…` : text;
}

/** A line about one, its values cut short. */
export function differenceText({ table, key, columns }: Difference): string {
  const cells = columns.map(({ name, expected, actual }) => `${name} is ${cut(actual)}, not ${cut(expected)}`);
  return `${table} ${key}: ${cells.join('; ')}`;
}
