import type { Range } from '../segment/ranges.ts';
import type { Segment } from '../segment/segment.ts';

/** A part of the journal that is being enqueued. Its caller reports the outcome once; a second report is ignored. */
export interface JournalEntry {
  /** Redis has the part. */
  enqueued(): void;
  /** Redis lacks the part, or may lack it: catch-up enqueues the part later. */
  failed(): void;
}

/**
 * Makes the entry of a part that is held.
 *
 * @param now  For a part that was pending: returns when Redis took it, in unix ms.
 */
export function entryOf(segment: Segment, range: Range, now?: () => number): JournalEntry {
  return {
    enqueued: () => segment.settle(range, 'enqueued', now?.()),
    failed: () => segment.settle(range, 'failed'),
  };
}
