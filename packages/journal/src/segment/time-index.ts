/** How far apart the known places of a segment are, in milliseconds of their records' time. */
const STEP_MS = 1000;

/** A place in a segment: from `from` on no record is older than `at`, and `records` stand before it. */
export interface Place {
  at: number;
  from: number;
  records: number;
}

/** Known places in a segment by time, at most one for each second. */
export interface TimeIndex {
  /** Notes the place of a record that is about to be added: it is written at `at` and begins at `from`, and `records` stand before it. */
  note(at: number, from: number, records: number): void;
  /** The last known place from which on all records lie that were written at or after `sinceMs`; undefined where none is known. */
  placeOf(sinceMs: number): Place | undefined;
}

/** Makes an index without a place. */
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
