import { inTime } from './deadline.ts';
import { timedOut } from './faults.ts';

/** One part of a search: see packages/store. */
interface Step<Found, Position> {
  found: Found[];
  /** How many were looked at. */
  looked: number;
  /** Everything up to here was looked at. */
  position: Position;
}

/** A search, and how much of it an answer holds. */
export interface SearchOptions<Found, Position> {
  steps: AsyncGenerator<Step<Found, Position>, boolean>;
  limit: number;
  signal: AbortSignal;
  /** Where a thing that was found stands in the list. */
  positionOf: (found: Found) => Position;
  /** What the answer says of what was found until the time was over; undefined: nothing was looked at. */
  describe: (found: Found[], looked: number, position: Position | undefined) => object;
}

/**
 * Searches until a page is full.
 *
 * @returns  The page, and where the next one begins; undefined where there is no more.
 * @throws   ApiFault `timed_out`, with what was found until then. A time-out is never shown as a page without things.
 */
export async function searchPage<Found, Position>({
  steps,
  limit,
  signal,
  positionOf,
  describe,
}: SearchOptions<Found, Position>): Promise<{ found: Found[]; next: Position | undefined }> {
  const found: Found[] = [];
  let looked = 0;
  let position: Position | undefined;
  const soFar = () => describe(found, looked, position);
  try {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- each part begins where the one before ended
      const step = await inTime(steps.next(), signal, soFar);
      if (step.done) {
        if (!step.value) throw timedOut(soFar());
        return { found, next: undefined };
      }
      looked += step.value.looked;
      position = step.value.position;
      found.push(...step.value.found);
      const last = found[limit - 1];
      if (last === undefined) continue;
      return { found: found.slice(0, limit), next: found.length > limit ? positionOf(last) : position };
    }
  } finally {
    // It may be in the middle of a part, which nobody waits for.
    void steps.return(true).catch(() => undefined);
  }
}
