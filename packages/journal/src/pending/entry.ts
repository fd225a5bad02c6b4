import type { Range } from '../segment/ranges.ts';
import type { Segment } from '../segment/segment.ts';

/** A part of the journal on its way to Redis. Its caller says once what became of it; the first word counts. */
export interface JournalEntry {
  /** Redis has it. */
  enqueued(): void;
  /** Redis does not have it, or nobody knows: it is enqueued later. */
  failed(): void;
}

/**
 * Makes the entry of a part that is held.
 *
 * @param now  For a part that was pending: tells when Redis took it, in unix ms.
 */
export function entryOf(segment: Segment, range: Range, now?: () => number): JournalEntry {
  return {
    enqueued: () => segment.settle(range, 'enqueued', now?.()),
    failed: () => segment.settle(range, 'failed'),
  };
}
