import type { Register } from '@landline/webhook/changes';
import type { Clock } from '@landline/webhook/clock';

/** What one event says of a row of a merged table. Times in unix milliseconds. */
export interface ToldRow {
  registers: Readonly<Record<string, Register | undefined>>;
  earliest: number;
  latest: number;
  greatestClock: Clock | null;
  /** One for each map column, in the table's order. */
  maps: readonly ReadonlyMap<string, Register>[];
}

/** A row of a merged table before it reaches Postgres: only what its events say. */
export interface MergedRow extends ToldRow {
  /** The key's columns, in the table's order. */
  key: readonly string[];
  registers: Record<string, Register | undefined>;
  maps: readonly Map<string, Register>[];
}

/** A row that says what `told` says, and shares nothing with it: an event may be folded again, into another group. */
export function newRow(key: readonly string[], told: ToldRow): MergedRow {
  const { registers, earliest, latest, greatestClock, maps } = told;
  return { key, registers: { ...registers }, earliest, latest, greatestClock, maps: maps.map((map) => new Map(map)) };
}

/** Merges `told` into `row` by the rules of `MergedTable`; the SQL of merge-statement.ts does the same with what is stored. */
export function mergeRow(row: MergedRow, told: ToldRow): void {
  row.earliest = Math.min(row.earliest, told.earliest);
  row.latest = Math.max(row.latest, told.latest);
  if (told.greatestClock !== null && told.greatestClock > (row.greatestClock ?? '')) {
    row.greatestClock = told.greatestClock;
  }
  for (const name of Object.keys(told.registers)) {
    const register = told.registers[name];
    const present = row.registers[name];
    if (register && (!present || register.clock > present.clock)) row.registers[name] = register;
  }
  for (const [i, map] of row.maps.entries()) mergeMap(map, told.maps[i]);
}

function mergeMap(map: Map<string, Register>, told: ReadonlyMap<string, Register> | undefined): void {
  if (told === undefined || told.size === 0) return;
  for (const [name, register] of told) {
    const present = map.get(name);
    if (!present || register.clock > present.clock) map.set(name, register);
  }
}
