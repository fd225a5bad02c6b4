import type { Clock, Register } from '@landline/webhook';

/** A row of a merged table before it reaches Postgres: only what its events say. Times in unix milliseconds. */
export interface MergedRow {
  /** The key's columns, in the table's order. */
  key: readonly string[];
  registers: Record<string, Register>;
  earliest: number;
  latest: number;
  greatestClock: Clock | null;
  map: Map<string, Register>;
}

/** Merges `from` into `into` by the rules of `MergedTable`; the SQL of merge-statement.ts does the same with what is stored. */
export function mergeRow(into: MergedRow, from: MergedRow): void {
  into.earliest = Math.min(into.earliest, from.earliest);
  into.latest = Math.max(into.latest, from.latest);
  if (from.greatestClock !== null && from.greatestClock > (into.greatestClock ?? '')) {
    into.greatestClock = from.greatestClock;
  }
  for (const [name, register] of Object.entries(from.registers)) {
    const present = into.registers[name];
    if (!present || register.clock > present.clock) into.registers[name] = register;
  }
  for (const [name, register] of from.map) {
    const present = into.map.get(name);
    if (!present || register.clock > present.clock) into.map.set(name, register);
  }
}
