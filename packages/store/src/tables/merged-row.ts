import type { Register } from '@landline/webhook/changes';
import type { Clock } from '@landline/webhook/clock';

/** What one event says of a row of a merged table. Times in unix milliseconds. */
export interface RowChange {
  registers: Readonly<Record<string, Register | undefined>>;
  earliest: number;
  /** null: the event says nothing of its own about the row (`MergedTable.implied`). */
  latest: number | null;
  greatestClock: Clock | null;
  /** One for each map column, by its name. */
  maps: Readonly<Record<string, ReadonlyMap<string, Register>>>;
}

/** A row of a merged table before it reaches Postgres: only what its events say. */
export interface MergedRow extends RowChange {
  /** The key's columns, in the table's order. */
  key: readonly string[];
  registers: Record<string, Register | undefined>;
  maps: Readonly<Record<string, Map<string, Register>>>;
}

/** A row that says what `change` says, and shares nothing with it: an event may be folded again, into another group. */
export function newRow(key: readonly string[], change: RowChange): MergedRow {
  const { registers, earliest, latest, greatestClock, maps } = change;
  return { key, registers: { ...registers }, earliest, latest, greatestClock, maps: copied(maps) };
}

function copied(maps: RowChange['maps']): MergedRow['maps'] {
  const copies: Record<string, Map<string, Register>> = {};
  for (const name of Object.keys(maps)) copies[name] = new Map(maps[name]);
  return copies;
}

/** Merges `change` into `row` by the rules of `MergedTable`; the SQL of merge-statement.ts does the same with what is stored. */
export function mergeRow(row: MergedRow, change: RowChange): void {
  row.earliest = Math.min(row.earliest, change.earliest);
  row.latest = change.latest === null ? row.latest : Math.max(row.latest ?? change.latest, change.latest);
  if (change.greatestClock !== null && change.greatestClock > (row.greatestClock ?? '')) {
    row.greatestClock = change.greatestClock;
  }
  for (const name of Object.keys(change.registers)) {
    const register = change.registers[name];
    const present = row.registers[name];
    if (register && (!present || register.clock > present.clock)) row.registers[name] = register;
  }
  for (const name of Object.keys(row.maps)) mergeMap(row.maps[name], change.maps[name]);
}

function mergeMap(map: Map<string, Register> | undefined, changed: ReadonlyMap<string, Register> | undefined): void {
  if (map === undefined || changed === undefined || changed.size === 0) return;
  for (const [name, register] of changed) {
    const present = map.get(name);
    if (!present || register.clock > present.clock) map.set(name, register);
  }
}
