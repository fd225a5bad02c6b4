import { z } from 'zod';

/** How many reasons are told apart. */
const MOST_REASONS = 20;

/** Stands for the others. */
const OTHERS = 'other reasons';

/** Why events failed: how many for each reason. */
export type Reasons = Readonly<Record<string, number>>;

/** Reasons as a checkpoint has them. */
export const reasonsSchema = z.record(z.string(), z.number());

/** Returns the reasons with one more event. */
export function addReason(reasons: Reasons, reason: string): Reasons {
  const isKnown = Object.hasOwn(reasons, reason);
  const name = isKnown || Object.keys(reasons).length < MOST_REASONS ? reason : OTHERS;
  const before = Object.hasOwn(reasons, name) ? (reasons[name] ?? 0) : 0;
  return Object.fromEntries([...Object.entries(reasons), [name, before + 1]]);
}

/** Says why events failed, the most frequent reason first; null where none did. */
export function describeReasons(reasons: Reasons): string | null {
  const all = Object.entries(reasons).toSorted(([, a], [, b]) => b - a);
  return all.length === 0 ? null : all.map(([reason, count]) => `${count} ${reason}`).join(', ');
}
