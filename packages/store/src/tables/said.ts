import type { MergedRow } from './merged-row.ts';
import type { ColumnType, LookedUp, MergedTable } from './merged-table.ts';

/** A clock that some rows write: its place in the table's `clocks`, and the register whose clock it is. */
export interface SaidClock {
  /** From 1, as Postgres counts. */
  place: number;
  of: string;
}

/**
 * The part of a merged table that some rows say something about. A live event knows five of the twenty registers of its call: the others
 * would be sent, read and compared only to stay as they are.
 */
export interface Said {
  /** Without the one that is looked up in a map. */
  registers: readonly (readonly [name: string, type: ColumnType])[];
  /** Also of the register that is looked up. */
  clocks: readonly SaidClock[];
  greatestClock: string | undefined;
  maps: readonly string[];
  /** Undefined where neither the map nor the register that it is looked up by is said. */
  lookedUp: LookedUp | undefined;
}

/** Names what rows say: equal for rows that say the same columns of a table. */
export function whatIsSaid(table: MergedTable, rows: readonly MergedRow[]): string {
  const names = new Set<string>();
  for (const { registers, maps, greatestClock } of rows) {
    for (const name in registers) if (registers[name] !== undefined) names.add(name);
    for (const name in maps) if (maps[name] !== undefined && maps[name].size > 0) names.add(name);
    if (greatestClock !== null) names.add(table.greatestClock ?? '');
  }
  return [...names].toSorted().join();
}

/** Returns the part of a table that `whatIsSaid` names. */
export function saidOf({ registers, greatestClock, maps = [], lookedUp }: MergedTable, what: string): Said {
  const names = new Set(what.split(','));
  const isLookedUp = lookedUp !== undefined && (names.has(lookedUp.map) || names.has(lookedUp.by));
  const clocks = registers.map(([name], i) => ({ place: i + 1, of: name === lookedUp?.column ? lookedUp.by : name }));
  return {
    registers: registers.filter(([name]) => names.has(name) && name !== lookedUp?.column),
    clocks: clocks.filter(({ of }) => names.has(of)),
    greatestClock: greatestClock !== undefined && names.has(greatestClock) ? greatestClock : undefined,
    maps: maps.filter((map) => names.has(map)),
    lookedUp: isLookedUp ? lookedUp : undefined,
  };
}
