import type { Clock } from '../clock.ts';
import type { Segment } from '../segment/segment.ts';
import { createPostponedParts, type PendingPart } from './postponed.ts';
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
  /** How often this process has made enqueued groups pending again. */
  redos: () => number;
  onError: (error: Error) => void;
}

/**
 * Takes the oldest groups that Redis lacks; undefined where there are none. Postponed groups come last, and not before
 * their pause is over. Must not be called again before it resolves.
 */
export type TakePending = (limit: PendingLimit) => Promise<PendingGroup | undefined>;

/** Makes a function that takes pending groups from the oldest readable segment. */
export function createPendingTaker(options: PendingTakerOptions): TakePending {
  const { clock, segments, current, redos, onError } = options;
  /** Until when each unreadable segment is skipped, by `elapsed`. */
  const unreadable = new WeakMap<Segment, number>();
  const postponed = createPostponedParts(() => clock.elapsed());

  function next(): PendingPart | undefined {
    const readable = segments().filter((each) => (unreadable.get(each) ?? -Infinity) <= clock.elapsed());
    for (const segment of readable) {
      const range = postponed.firstOther(segment);
      if (range !== undefined) return { segment, range, failures: 0 };
    }
    return postponed.takeDue(readable);
  }

  async function read(part: PendingPart, limit: PendingLimit): Promise<PendingGroup | undefined> {
    const { segment, failures } = part;
    try {
      return await readPending(part, {
        limit,
        isCurrent: segment === current(),
        onError,
        now: clock.now,
        redos: redos(),
        onPostponed: (range) => postponed.postpone({ segment, range, failures: failures + 1 }),
      });
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
    for (let part = next(); part !== undefined; part = next()) {
      // oxlint-disable-next-line no-await-in-loop -- damage is passed over
      const group = await read(part, limit);
      if (group !== undefined) return group;
    }
    return undefined;
  };
}
