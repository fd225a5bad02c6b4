/**
 * The least time between two known places, in milliseconds. A shorter time costs memory; a longer one makes `redo`
 * enqueue more records twice.
 */
const STEP_MS = 1000;

/** A place in a segment. From `from` on no record is older than `at`, and `records` records are before it. */
export interface Place {
  at: number;
  from: number;
  records: number;
}

/** The known places of a segment by time, at most one for each second. */
export interface TimeIndex {
  /**
   * Adds the place of a record that is about to be written: its time `at`, its offset `from`, and the number of records
   * before it.
   */
  note(at: number, from: number, records: number): void;
  /** Returns the last known place before every record written at or after `sinceMs`; undefined where none is known. */
  placeOf(sinceMs: number): Place | undefined;
}

/** Makes an empty index. */
export function createTimeIndex(): TimeIndex {
  const places: Place[] = [];
  return {
    note(at, from, records) {
      const last = places.at(-1);
      if (last === undefined || at - last.at >= STEP_MS) places.push({ at, from, records });
    },
    placeOf: (sinceMs) => places.findLast(({ at }) => at <= sinceMs),
  };
}
