import { TABLES, type TableName } from '../../packages/store/test/support/read-tables.ts';
import { TABLE_NAMES } from './tables.ts';

/** Rows by table, of the tables or of the reference. */
export type Rows = Readonly<Record<TableName, readonly object[]>>;

/** A row that differs from the expected one. */
export interface Difference {
  table: TableName;
  /** The row's key; a space separates its columns. */
  key: string;
  /** The columns that differ, each with its expected and actual value; `row` where a whole row is missing or one too many. */
  columns: { name: string; expected: string; actual: string }[];
}

/** Prints a value as text, the keys of every object sorted. It leaves out clocks, which only the store knows. */
export function printed(value: unknown): string {
  const text: string | undefined = JSON.stringify(value, (name, each: unknown) => {
    if (/clock/.test(name)) return undefined;
    if (typeof each !== 'object' || each === null || Array.isArray(each)) return each;
    return Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
  return text ?? 'nothing';
}

/** Returns a row's key; a space separates its columns. */
export function keyOf(table: TableName, row: object): string {
  const columns = new Map(Object.entries(row));
  return TABLES[table]
    .split(', ')
    .map((column) => String(columns.get(column)))
    .join(' ');
}

/** Returns every row that is in one of the two sets alone, or that has other values there. */
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

const MAX_VALUE_LENGTH = 200;

function cut(text: string): string {
  return text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}…` : text;
}

/** Prints a difference as one line, with long values cut. */
export function differenceText({ table, key, columns }: Difference): string {
  const cells = columns.map(({ name, expected, actual }) => `${name} is ${cut(actual)}, not ${cut(expected)}`);
  return `${table} ${key}: ${cells.join('; ')}`;
}
