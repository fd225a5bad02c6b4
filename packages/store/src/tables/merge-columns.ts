import type { Register } from '@landline/webhook/changes';
import type { Json } from '@landline/webhook/json';
import {
  clockArray,
  fromMs,
  json,
  milliseconds,
  plainArray,
  textArray,
  type Parameter,
} from '../connection/statement.ts';
import type { MergedRow } from './merged-row.ts';
import type { ColumnType, MergedTable } from './merged-table.ts';
import type { Said } from './said.ts';

/** What is sent for rows of a merged table: an array with one element a row. */
export interface SentColumn {
  /** Its name among what is sent: that of its column, or that of the register whose clock it is. */
  name: string;
  /** The type of the array that the parameter is sent as. */
  sent: string;
  /** What makes the column's value of an element. */
  read: (element: string) => string;
  parameter: (rows: readonly MergedRow[]) => Parameter;
}

/** Returns the columns that are sent by themselves: the key, what is said, and the times. */
export function columnsOf(table: MergedTable, said: Said): SentColumn[] {
  const columns = [
    ...table.key.map((name, i) => textColumn(name, (row) => row.key[i] ?? null)),
    ...said.registers.map(([name, type]) => registerColumn(name, type)),
    timeColumn(table.earliest, (row) => row.earliest),
  ];
  if (table.latest) columns.push(timeColumn(table.latest, (row) => row.latest ?? row.earliest));
  if (said.greatestClock) columns.push(plainColumn(said.greatestClock, 'uuid', (row) => row.greatestClock));
  for (const map of said.maps) columns.push(mapColumn(map, 'value'), mapColumn(map, 'clock'));
  return columns;
}

/** Returns what is sent for the column `clocks`: the clocks of each register that is said. */
export function clockColumnsOf({ registers }: Said): SentColumn[] {
  return registers.map(([name]) => ({
    name: clockOf(name),
    sent: 'uuid',
    read: asItIs,
    parameter: (rows) => clockArray(rows.map((row) => row.registers[name]?.clock ?? null)),
  }));
}

/** The name under which the clocks of a register are sent. */
export function clockOf(register: string): string {
  return `clock_of_${register}`;
}

const asItIs = (element: string) => element;
const asJsonb = (element: string) => `${element}::jsonb`;

function registerColumn(name: string, type: ColumnType): SentColumn {
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

function textColumn(name: string, value: (row: MergedRow) => string | null): SentColumn {
  return { name, sent: 'text', read: asItIs, parameter: (rows) => textArray(rows.map(value)) };
}

function plainColumn(name: string, sent: string, value: (row: MergedRow) => string | number | null): SentColumn {
  return { name, sent, read: asItIs, parameter: (rows) => plainArray(rows.map(value)) };
}

function timeColumn(name: string, value: (row: MergedRow) => number | null): SentColumn {
  return { ...plainColumn(name, 'float8', value), read: fromMs };
}

/** A text, a number or a boolean; never an object, which goes to a jsonb column. */
function plain(value: Json): string | null {
  return value === null ? null : typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function mapColumn(map: string, part: 'value' | 'clock'): SentColumn {
  const name = part === 'value' ? map : `${map}_clocks`;
  return { ...textColumn(name, ({ maps }) => mapObject(maps[map], part)), read: asJsonb };
}

function mapObject(map: ReadonlyMap<string, Register> | undefined, part: 'value' | 'clock'): string {
  if (map === undefined || map.size === 0) return '{}';
  return JSON.stringify(Object.fromEntries([...map].map(([key, register]) => [key, register[part]])));
}
