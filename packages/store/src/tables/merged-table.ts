import type { Register } from '@landline/webhook/changes';
import type { Clock } from '@landline/webhook/clock';
import type { Json } from '@landline/webhook/json';

/** How a column of a merged table travels to Postgres. */
export type ColumnType = 'text' | 'float8' | 'boolean' | 'timestamptz' | 'jsonb';

/** How a register whose values are of this type may travel. */
type ColumnTypeOf<Value> = Json extends Value
  ? 'jsonb'
  : [Value] extends [string | null]
    ? 'text'
    : [Value] extends [boolean]
      ? 'boolean'
      : [Value] extends [number | null]
        ? 'float8' | 'timestamptz'
        : never;

/**
 * A column for each register that handlers can set, and no other: a field of `Fields` without a column does not compile, nor does a column
 * without a field, nor one of another type. Without this its value would vanish in silence.
 */
export type ColumnsOf<Fields> = {
  [Name in keyof Fields]-?: Exclude<Fields[Name], undefined> extends Register<infer Value>
    ? ColumnTypeOf<Value>
    : never;
};

/** The fields of a change that make up its key, its times, its registers and its clock; all others are maps. */
type OtherThanMaps =
  | 'id'
  | 'user_id'
  | 'conversation_id'
  | 'source'
  | 'request_id'
  | 'action_id'
  | 'clock'
  | 'earliest'
  | 'latest'
  | 'fields'
  | 'transcript';

/** Something for each map that a change carries, and for no other: a map without a column does not compile. */
export type EachMapOf<Change, T> = Readonly<Record<Exclude<keyof Change, OtherThanMaps>, T>>;

/**
 * A table whose rows are merged from many events. Every rule commutes, so the order of events does not matter:
 * a register keeps the value with the greatest clock, `earliest` the least time, `latest` and `greatestClock` the
 * greatest, and a map column keeps a register for each of its keys. Whatever changes in a row, `changedAt` is set.
 */
export interface MergedTable {
  name: string;
  key: readonly string[];
  /** Columns that are registers; a column's place here is its clock's place in the table's `clocks`. */
  registers: readonly (readonly [name: string, type: ColumnType])[];
  earliest: string;
  latest?: string;
  /**
   * The registers that every event writes, each with the greatest clock that says nothing of its own. An event of these alone leaves
   * `latest` as it is. A row of which all events are such has in `latest` what it has in `earliest`.
   */
  implied?: Readonly<Record<string, Clock>>;
  greatestClock?: string;
  maps?: readonly string[];
  lookedUp?: LookedUp;
  /** When the row was last written here: the column's default, by the database's clock. */
  changedAt?: string;
}

/**
 * A column that shows what `map` holds under the word in the register `by`. It stands among the registers because it
 * was one: its clock is that of `by`, so that a worker of an older version writes nothing older over it.
 */
export interface LookedUp {
  column: string;
  map: string;
  by: string;
}

/** Lists columns as they are written. A place in this list is a clock's place in stored rows: only ever append. */
export function columnsInOrder<Fields>(columns: ColumnsOf<Fields>): MergedTable['registers'] {
  return Object.entries<ColumnType>(columns);
}
