import type { Clock } from '../clock.ts';
import type { Segment } from '../segment/segment.ts';
import { readPending, type PendingGroup, type PendingLimit } from './read-pending.ts';

/** How long a segment that cannot be read is left alone, in ms: the others are read meanwhile. */
const UNREADABLE_REST_MS = 60_000;

/** Where pending groups are taken from. */
export interface PendingTakerOptions {
  clock: Clock;
  /** All segments, oldest first. */
  segments: () => readonly Segment[];
  /** The one that this process writes to. */
  current: () => Segment | undefined;
  onError: (error: Error) => void;
}

/** Takes the oldest groups that Redis does not have; undefined when there are none. One caller at a time. */
export type TakePending = (limit: PendingLimit) => Promise<PendingGroup | undefined>;

/** Makes a function that takes pending groups from the oldest segment that can be read. */
export function createPendingTaker({ clock, segments, current, onError }: PendingTakerOptions): TakePending {
  /** Until when each is left alone, by `elapsed`. */
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
      unreadable.set(segment, clock.elapsed() + UNREADABLE_REST_MS);
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
