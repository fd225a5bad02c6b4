import { addRange, removeRange, type Range } from './ranges.ts';

/** Which parts of a segment Redis lacks, and which are on their way to it. Everything else Redis has. */
export interface EnqueueState {
  /** Redis lacks these parts, and nobody is enqueuing them; sorted. */
  pending(): readonly Range[];
  /** Whether Redis has all of it. */
  isComplete(): boolean;
  /** Redis lacks a part, or may have lost it. */
  addPending(range: Range): void;
  /** A part that was never pending is on its way to Redis. */
  hold(range: Range): void;
  /** A pending part is on its way to Redis. */
  take(range: Range): void;
  /** Passes over a part that cannot be enqueued. */
  skip(part: { from: number; to: number }): void;
  /** Settles a held part; false where it was settled before. */
  settle(range: Range, outcome: 'enqueued' | 'failed'): boolean;
  /** Nobody will settle the held parts: they are pending. */
  giveUp(): void;
  /** What Redis may lack if the process ended now: what is pending or held. */
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
