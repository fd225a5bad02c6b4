/** What receivers and workers count: events and requests, as their metrics do. Canaries are in none of them. */
export const ACTIVITY_COUNTS = ['accepted', 'refused', 'applied', 'fetched', 'ignored', 'duplicate', 'dead'] as const;

/**
 * One of `ACTIVITY_COUNTS`: `accepted`, events answered 200; `refused`, requests answered 401; `applied`, `ignored` and `duplicate`, events
 * that a worker has recorded; `fetched`, those of `applied` that workers had fetched from ElevenLabs (the origin `backfill`); `dead`, events made
 * dead letters.
 */
export type ActivityCount = (typeof ACTIVITY_COUNTS)[number];

/**
 * Upper bounds of the buckets of `receiptToRow`, in ms; one bucket more holds what took longer. Some milliseconds while nothing waits;
 * minutes or hours for what an outage held back.
 */
export const RECEIPT_TO_ROW_BUCKETS_MS: readonly number[] = [
  5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 900_000, 3_600_000,
];

/** Counts of some time. */
export interface Counts extends Record<ActivityCount, number> {
  /** How many events were applied in each of `RECEIPT_TO_ROW_BUCKETS_MS`, and after the last, from receipt to commit. Fetched ones are in none. */
  receiptToRow: number[];
}

/** What all receivers and workers together counted in a minute. */
export interface MinuteActivity extends Counts {
  /** When it began, in unix ms. */
  at: number;
}

/** Returns counts of nothing. */
export function noCounts(): Counts {
  const receiptToRow = Array.from({ length: RECEIPT_TO_ROW_BUCKETS_MS.length + 1 }, () => 0);
  return { accepted: 0, refused: 0, applied: 0, fetched: 0, ignored: 0, duplicate: 0, dead: 0, receiptToRow };
}

/** Adds `more` to `counts`; with a `share` below 1, only that share of it. */
export function addCounts(counts: Counts, more: Counts, share = 1): void {
  for (const name of ACTIVITY_COUNTS) counts[name] += Math.round(more[name] * share);
  for (const [i, count] of more.receiptToRow.entries()) {
    counts.receiptToRow[i] = (counts.receiptToRow[i] ?? 0) + Math.round(count * share);
  }
}

/** Returns the bucket of a time, as an index of `receiptToRow`. */
export function bucketOf(ms: number): number {
  const bucket = RECEIPT_TO_ROW_BUCKETS_MS.findIndex((bound) => ms <= bound);
  return bucket < 0 ? RECEIPT_TO_ROW_BUCKETS_MS.length : bucket;
}

/** The fields of the buckets. They name the bound, so that processes with other bounds can add to the same hash. */
const BUCKET_FIELDS = [...RECEIPT_TO_ROW_BUCKETS_MS.map((bound) => `row:${bound}`), 'row:more'];

/** Returns the fields of a hash, and what each is incremented by; none for what is 0. */
export function fieldsOf(counts: Counts): [field: string, count: number][] {
  const named = ACTIVITY_COUNTS.map((name): [string, number] => [name, counts[name]]);
  const buckets = BUCKET_FIELDS.map((field, i): [string, number] => [field, counts.receiptToRow[i] ?? 0]);
  return [...named, ...buckets].filter(([, count]) => count !== 0);
}

/** Reads the fields of a hash. Skips those of another version. */
export function countsIn(fields: Readonly<Record<string, string>>): Counts {
  const read = (field: string) => Number(fields[field] ?? 0) || 0;
  const counts = noCounts();
  for (const name of ACTIVITY_COUNTS) counts[name] = read(name);
  counts.receiptToRow = BUCKET_FIELDS.map(read);
  return counts;
}

/**
 * Estimates a quantile of the time from receipt to row.
 *
 * @param buckets  As `receiptToRow` has them; of several minutes, the sums.
 * @param q        From 0 to 1: 0.5 is the median.
 * @returns        Milliseconds, by linear interpolation in the bucket; the last bound where it took longer; null where nothing was applied.
 */
export function quantile(buckets: readonly number[], q: number): number | null {
  const total = buckets.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const rank = Math.min(1, Math.max(0, q)) * total;
  let below = 0;
  let least = 0;
  for (const [i, bound] of RECEIPT_TO_ROW_BUCKETS_MS.entries()) {
    const count = buckets[i] ?? 0;
    if (count > 0 && below + count >= rank) return least + ((bound - least) * Math.max(0, rank - below)) / count;
    below += count;
    least = bound;
  }
  return least;
}
