import { addRange, removeRange, type Range } from './ranges.ts';

/**
 * The parts of a segment that Redis lacks, and the parts that are being enqueued (held). Redis has every other part.
 */
export interface EnqueueState {
  /** The parts that Redis lacks and that are not being enqueued; sorted. */
  pending(): readonly Range[];
  /** Whether Redis has the whole segment. */
  isComplete(): boolean;
  /** Adds a part that Redis lacks, or may have lost. */
  addPending(range: Range): void;
  /** Adds a held part that was never pending. */
  hold(range: Range): void;
  /** Makes a pending part a held one. */
  take(range: Range): void;
  /** Removes a pending part that cannot be enqueued. */
  skip(part: { from: number; to: number }): void;
  /** Settles a held part; false where it was settled before. */
  settle(range: Range, outcome: 'enqueued' | 'failed'): boolean;
  /** Makes every held part pending, because its caller will not settle it any more. */
  giveUp(): void;
  /** The parts that Redis would lack if the process ended now: pending and held. */
  unsettled(): Range[];
}

/** Makes the state of a segment whose `pending` parts Redis lacks. */
export function createEnqueueState(pending: Range[] = []): EnqueueState {
  const held = new Set<Range>();
  return {
    pending: () => pending,
    isComplete: () => pending.length === 0 && held.size === 0,
    addPending: (range) => addRange(pending, range),
    hold: (range) => void held.add(range),
    take(range) {
      removeRange(pending, range);
      held.add(range);
    },
    skip: (part) => removeRange(pending, { ...part, records: 0 }),
    settle(range, outcome) {
      if (!held.delete(range)) return false;
      if (outcome === 'failed') addRange(pending, range);
      return true;
    },
    giveUp() {
      for (const range of held) addRange(pending, range);
      held.clear();
    },
    unsettled() {
      const all = pending.map((range) => ({ ...range }));
      for (const range of held) addRange(all, range);
      return all;
    },
  };
}
