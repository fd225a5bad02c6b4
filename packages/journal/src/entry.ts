import { addRange, type Range } from './ranges.ts';
import type { Segment } from './segment.ts';

/** A part of the journal on its way to Redis: tell it what became of it, once. */
export interface JournalEntry {
  /** Redis has it. */
  enqueued(): void;
  /** Redis does not have it, or nobody knows: it is enqueued later. */
  failed(): void;
}

/** The entry of a part that is held; the first word counts. `onEnqueued` is told if that is it. */
export function entryOf(segment: Segment, range: Range, onEnqueued?: () => void): JournalEntry {
  const settle = (): boolean => {
    if (!segment.held.delete(range)) return false;
    segment.isMarkStale = true;
    return true;
  };
  return {
    enqueued: () => void (settle() && onEnqueued?.()),
    failed: () => void (settle() && addRange(segment.pending, range)),
  };
}
