import type { ReconcileRun, ReconcileStore } from '@landline/store';
import type { CompareOptions } from './compare.ts';
import { asksAgain, type Rules } from './judge-call.ts';
import { MOST_CHEAP, shortWindowOf, slicesOf, windowOf, type ReconcileWindow } from './window.ts';

/** Of which calls a comparison is, and by what they are judged. */
export interface Comparison extends Pick<CompareOptions, 'slices' | 'since' | 'rules'> {
  /** What is listed. */
  window: ReconcileWindow;
}

/** How to begin. */
export interface BeginOptions extends Pick<Rules, 'now' | 'keepsAudio' | 'keptDays'> {
  store: Pick<ReconcileStore, 'lastGoodRun' | 'lastWholeRun' | 'oldestWindow'>;
  /** RECONCILE_WINDOW_HOURS */
  windowHours: number;
  /** The window's beginning where somebody names it, in unix milliseconds. */
  since?: number | undefined;
  /** Whether it is a run of the schedule, and nobody has asked for it. */
  isScheduled?: boolean | undefined;
  /** Up to how many calls a whole window is cheap. Only tests need another number. */
  mostCheap?: number | undefined;
}

/**
 * Chooses the window and the rules of a comparison by the runs before: a plan and a run do the same. The whole window is listed where that is cheap, where somebody
 * asks, and by the first good run of a day (UTC). Other runs list what began since the last good one, and a little more: whatever is known and not through
 * is asked for by its id, so only a call that appears late in the list waits for the day's first run.
 *
 * @throws StoreError
 */
export async function beginComparison(options: BeginOptions): Promise<Comparison> {
  const { store, windowHours: hours, since, now, keepsAudio, keptDays } = options;
  const { isScheduled = false, mostCheap = MOST_CHEAP } = options;
  const lastGood = await store.lastGoodRun();
  const oldest = await store.oldestWindow();
  const lastWhole = await store.lastWholeRun(hours);
  const isLarge = lastWhole !== undefined && lastWhole.listed > mostCheap;
  const isFirst = asksAgain(now, lastGood);
  const whole = windowOf({ now, hours, lastGood, oldest, since });
  const isShort = isScheduled && since === undefined && !isFirst && isLarge;
  const window = isShort && lastGood !== undefined ? shortWindowOf(whole, lastGood) : whole;
  return {
    window,
    slices: slicesOf(window, lastWhole !== undefined && !isLarge && isLike(window, lastWhole)),
    since: whole.from,
    rules: { now, keepsAudio, keptDays, asksAgain: isFirst },
  };
}

/** Tells whether what was counted says something of a window: one of `--since 365d`, or after an outage, may be far longer. */
function isLike({ from, to }: ReconcileWindow, { windowFrom, windowTo }: ReconcileRun): boolean {
  return to - from <= 2 * (windowTo - windowFrom);
}
