import { MINUTE_KEPT_MS, MINUTE_MS, SLOT_KEPT_MS, SLOT_MS, startOf } from './activity-keys.ts';
import { addCounts, bucketOf, noCounts, type ActivityCount, type Counts } from './activity-counts.ts';

/** How many minutes are written at once: after a long outage Redis must not be busy with all of them in one go. */
const BATCH_MINUTES = 60;

/** How many minutes and slots wait at most. */
const MOST_MINUTES = MINUTE_KEPT_MS / MINUTE_MS;
const MOST_SLOTS = SLOT_KEPT_MS / SLOT_MS;

/** Counts of some minutes and slots, by their start in unix ms. */
export interface CountBatch {
  minutes: readonly (readonly [at: number, counts: Counts])[];
  slots: readonly (readonly [at: number, counts: Counts])[];
}

/** Counts that Redis does not have yet. */
export interface PendingCounts {
  count(name: ActivityCount, n: number): void;
  observeReceiptToRow(ms: number): void;
  /** Takes the newest of them out; undefined where there are none. */
  take(): CountBatch | undefined;
}

/** Makes it, empty. Each count belongs to the time at which it was counted, however late it is taken. `now` returns unix ms. */
export function createPendingCounts(now: () => number): PendingCounts {
  const minutes = new Map<number, Counts>();
  const slots = new Map<number, Counts>();
  let current = noCounts();
  /** The start of the slot of `current`; NaN where nothing was counted in it. */
  let slotAt = NaN;

  function currentCounts(): Counts {
    const at = now();
    // Also where the clock was set back.
    if (!(at >= slotAt && at < slotAt + SLOT_MS)) {
      settle();
      slotAt = startOf(at, SLOT_MS);
    }
    return current;
  }

  /** Adds the current slot to those that wait, and drops what Redis would not keep. */
  function settle(): void {
    if (!Number.isNaN(slotAt)) {
      addTo(minutes, startOf(slotAt, MINUTE_MS), current);
      addTo(slots, slotAt, current);
      current = noCounts();
      slotAt = NaN;
    }
    dropOld(minutes, { before: now() - MINUTE_KEPT_MS, most: MOST_MINUTES });
    dropOld(slots, { before: now() - SLOT_KEPT_MS, most: MOST_SLOTS });
  }

  return {
    count: (name, n) => void (currentCounts()[name] += n),
    observeReceiptToRow(ms) {
      const { receiptToRow } = currentCounts();
      const bucket = bucketOf(ms);
      receiptToRow[bucket] = (receiptToRow[bucket] ?? 0) + 1;
    },
    take() {
      settle();
      if (minutes.size === 0) return undefined;
      return { minutes: takeNewest(minutes, BATCH_MINUTES), slots: takeNewest(slots, MOST_SLOTS) };
    },
  };
}

function addTo(all: Map<number, Counts>, at: number, counts: Counts): void {
  const sums = all.get(at) ?? noCounts();
  addCounts(sums, counts);
  all.set(at, sums);
}

/** A clock that goes back and forth may leave entries of the future, so their number is limited too. */
function dropOld(all: Map<number, Counts>, { before, most }: { before: number; most: number }): void {
  for (const at of all.keys()) if (at < before || all.size > most) all.delete(at);
}

function takeNewest(all: Map<number, Counts>, most: number): [number, Counts][] {
  const newest = [...all].toSorted(([a], [b]) => b - a).slice(0, most);
  for (const [at] of newest) all.delete(at);
  return newest;
}
