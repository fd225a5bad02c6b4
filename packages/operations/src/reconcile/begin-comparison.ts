import type { ReconcileStore } from '@landline/store';
import { windowOf, type ReconcileWindow } from './compare.ts';
import { asksAgain, type Rules } from './judge-call.ts';

/** Of which calls a comparison is, and by what they are judged. */
export interface Comparison {
  window: ReconcileWindow;
  rules: Rules;
}

/** How to begin. */
export interface BeginOptions extends Pick<Rules, 'now' | 'keepsAudio' | 'keptDays'> {
  store: Pick<ReconcileStore, 'lastGoodRun' | 'oldestWindow'>;
  /** RECONCILE_WINDOW_HOURS */
  windowHours: number;
  /** The window's beginning where somebody names it, in unix milliseconds. */
  since?: number | undefined;
}

/** Chooses the window and the rules of a comparison by the runs before: a plan and a run do the same. @throws StoreError */
export async function beginComparison(options: BeginOptions): Promise<Comparison> {
  const { store, windowHours: hours, since, now, keepsAudio, keptDays } = options;
  const lastGood = await store.lastGoodRun();
  const oldest = await store.oldestWindow();
  return {
    window: windowOf({ now, hours, lastGood, oldest, since }),
    rules: { now, keepsAudio, keptDays, asksAgain: asksAgain(now, lastGood) },
  };
}
