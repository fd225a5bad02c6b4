import { removeRange, type Range } from '../segment/ranges.ts';
import type { Segment } from '../segment/segment.ts';

/** The pause after the first failure, in ms. Each further failure doubles it. */
const FIRST_PAUSE_MS = 1000;

/**
 * The longest pause, in ms. A longer one would keep an event from the tables for longer than an outage of Redis that
 * is over.
 */
const LONGEST_PAUSE_MS = 300_000;

/** A pending part of a segment, and how often Redis did not take it. */
export interface PendingPart {
  segment: Segment;
  range: Range;
  failures: number;
}

/** The pending parts that Redis did not take. They stay pending, behind all other parts. */
export interface PostponedParts {
  /** Postpones a part for a pause that grows with its failures. */
  postpone(part: PendingPart): void;
  /** Returns the first pending part of a segment that is not postponed. */
  firstOther(segment: Segment): Range | undefined;
  /** Removes and returns the part whose pause is over for the longest time; undefined where each one still rests. */
  takeDue(segments: readonly Segment[]): PendingPart | undefined;
}

/** Makes an empty list. `elapsed` is the time in ms of a clock that nobody sets. */
export function createPostponedParts(elapsed: () => number): PostponedParts {
  let parts: (PendingPart & { until: number })[] = [];
  return {
    postpone(part) {
      parts.push({ ...part, until: elapsed() + pauseAfter(part.failures) });
      parts.sort((a, b) => a.until - b.until);
    },
    firstOther(segment) {
      const own = parts.filter((part) => part.segment === segment);
      const [first] = segment.pending();
      if (own.length === 0 || first === undefined) return first;
      const others = segment.pending().map((range) => ({ ...range }));
      for (const { range } of own) removeRange(others, range);
      return others[0];
    },
    takeDue(segments) {
      // A part that is not pending any more was enqueued otherwise, or its file is gone.
      parts = parts.filter((part) => segments.includes(part.segment) && isPending(part));
      const [next] = parts;
      if (next === undefined || next.until > elapsed()) return undefined;
      parts.shift();
      return next;
    },
  };
}

function pauseAfter(failures: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1));
}

function isPending({ segment, range }: PendingPart): boolean {
  return segment.pending().some(({ from, to }) => from <= range.from && to >= range.to);
}
