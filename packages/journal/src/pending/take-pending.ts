import type { Clock } from '../clock.ts';
import type { Segment } from '../segment/segment.ts';
import { readPending, type PendingGroup, type PendingLimit } from './read-pending.ts';

/**
 * How long an unreadable segment is skipped, in ms, while the other segments are read. A shorter time repeats failing
 * reads.
 */
const UNREADABLE_PAUSE_MS = 60_000;

/** The dependencies of a taker of pending groups. */
export interface PendingTakerOptions {
  clock: Clock;
  /** All segments, oldest first. */
  segments: () => readonly Segment[];
  /** The segment that this process writes to. */
  current: () => Segment | undefined;
  onError: (error: Error) => void;
}

/**
 * Takes the oldest groups that Redis lacks; undefined where there are none. Must not be called again before it
 * resolves.
 */
export type TakePending = (limit: PendingLimit) => Promise<PendingGroup | undefined>;

/** Makes a function that takes pending groups from the oldest readable segment. */
export function createPendingTaker({ clock, segments, current, onError }: PendingTakerOptions): TakePending {
  /** Until when each unreadable segment is skipped, by `elapsed`. */
  const unreadable = new WeakMap<Segment, number>();

  function next(): Segment | undefined {
    return segments().find(
      (segment) => segment.pending().length > 0 && (unreadable.get(segment) ?? -Infinity) <= clock.elapsed(),
    );
  }

  async function read(segment: Segment, limit: PendingLimit): Promise<PendingGroup | undefined> {
    try {
      return await readPending(segment, { limit, isCurrent: segment === current(), onError, now: clock.now });
    } catch (error) {
      unreadable.set(segment, clock.elapsed() + UNREADABLE_PAUSE_MS);
      onError(
        new Error(
          `The journal's file ${segment.path()} cannot be read; it is tried again in a minute: ${String(error)}`,
        ),
      );
      return undefined;
    }
  }

  return async (limit) => {
    for (let segment = next(); segment !== undefined; segment = next()) {
      // oxlint-disable-next-line no-await-in-loop -- damage is passed over
      const group = await read(segment, limit);
      if (group !== undefined) return group;
    }
    return undefined;
  };
}
