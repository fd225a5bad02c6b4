import type { ReconcileRun } from '@landline/store';

const HOUR_MS = 3_600_000;

/** How much of what the last good run has listed a short window lists again, in ms: a call may be listed minutes after it began, and its webhooks come late. */
const BACK_MS = 3 * HOUR_MS;

/** How long a slice is, more or less, in ms: at 1,000 calls a minute it has 3,600 pages, and a list is read up to 10,000. */
const SLICE_MS = 6 * HOUR_MS;

/** A whole window of so many calls, and no more, is listed by every run: that is a hundred requests. */
export const MOST_CHEAP = 10_000;

/** Which calls are compared, by their beginning. Unix milliseconds. */
export interface ReconcileWindow {
  from: number;
  to: number;
}

/** Returns the whole window. A run that failed, or did not run, is made up for by the next one: its window begins where that one's would have. */
export function windowOf({
  now,
  hours,
  lastGood,
  oldest,
  since,
}: {
  now: number;
  /** RECONCILE_WINDOW_HOURS */
  hours: number;
  lastGood: Pick<ReconcileRun, 'windowTo'> | undefined;
  /** Where the window of the first run began: no run was good, so all since then is to be made up for. */
  oldest?: number | undefined;
  since?: number | undefined;
}): ReconcileWindow {
  const from = Math.min(now, lastGood?.windowTo ?? now) - hours * HOUR_MS;
  return { from: since ?? (lastGood === undefined ? Math.min(from, oldest ?? from) : from), to: now };
}

/** Returns the part of the whole window that began since shortly before the last good run ended. */
export function shortWindowOf(whole: ReconcileWindow, lastGood: Pick<ReconcileRun, 'windowTo'>): ReconcileWindow {
  const { from, to } = whole;
  return { from: Math.max(from, Math.min(to, lastGood.windowTo) - BACK_MS), to };
}

/**
 * Cuts a window into what the list is asked for, one after the other: each part has the list's bound of pages for itself.
 *
 * @param isSmall  Whether it is known to have no more calls than a cheap one. Where nobody knows, it is cut as a large one: a year is 1,460 requests, once.
 */
export function slicesOf(
  { from, to }: ReconcileWindow,
  isSmall: boolean,
): readonly [ReconcileWindow, ...ReconcileWindow[]] {
  const count = isSmall ? 1 : Math.max(1, Math.round((to - from) / SLICE_MS));
  const border = (n: number) => Math.round(from + ((to - from) * n) / count);
  const rest = Array.from({ length: count - 1 }, (_, n) => ({ from: border(n + 1), to: border(n + 2) }));
  return [{ from, to: border(1) }, ...rest];
}
