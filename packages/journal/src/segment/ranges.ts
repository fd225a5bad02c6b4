/** The bytes of a segment from `from` up to `to`, and the number of records that begin there. */
export interface Range {
  from: number;
  to: number;
  records: number;
}

/**
 * Adds a range to sorted ranges that do not touch, and keeps them so. Where ranges overlap, the number of records is
 * estimated by the bytes.
 */
export function addRange(ranges: Range[], added: Range): void {
  if (added.to <= added.from) return;
  let { from, to, records } = added;
  const first = ranges.findIndex((range) => range.to >= from);
  const start = first < 0 ? ranges.length : first;
  let end = start;
  for (let range = ranges[end]; range !== undefined && range.from <= to; range = ranges[++end]) {
    const overlap = Math.max(0, Math.min(to, range.to) - Math.max(from, range.from));
    records += range.records - Math.round((range.records * overlap) / (range.to - range.from));
    from = Math.min(from, range.from);
    to = Math.max(to, range.to);
  }
  ranges.splice(start, end - start, { from, to, records: Math.max(1, records) });
}

/** Removes the bytes of `taken` from `ranges`. Bytes that were added meanwhile stay. */
export function removeRange(ranges: Range[], taken: Range): void {
  const kept = ranges.flatMap((range) => {
    if (range.to <= taken.from || range.from >= taken.to) return [range];
    const before = { ...range, to: taken.from };
    const after = { ...range, from: taken.to };
    const records = Math.max(1, range.records - taken.records);
    return [before, after].filter(({ from, to }) => to > from).map((part) => ({ ...part, records }));
  });
  ranges.splice(0, ranges.length, ...kept);
}

/** Counts the bytes in `ranges`. */
export function bytesIn(ranges: readonly Range[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from, 0);
}

/** Counts the records in `ranges`. */
export function recordsIn(ranges: readonly Range[]): number {
  return ranges.reduce((sum, { records }) => sum + records, 0);
}
