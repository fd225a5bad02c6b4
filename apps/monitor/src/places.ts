import type { Logger } from '@landline/process';

/** The places of the calls that are followed at once. */
export interface Places {
  /** Counts the places that are held now. */
  count(): void;
  /** Whether a call holds a place, or one is free. It logs once that none is. */
  isFor(callId: string): boolean;
  /** Gives a call a place, unless it holds one. */
  take(callId: string): void;
}

/**
 * Makes the places.
 *
 * @param holders  Returns the calls that hold a place.
 * @param most     How many there are.
 */
export function createPlaces(holders: () => ReadonlySet<string>, most: number, logger: Logger): Places {
  let held: Set<string> = new Set();
  let isCrowded = false;
  return {
    count() {
      held = new Set(holders());
      if (held.size < most) isCrowded = false;
    },
    isFor(callId) {
      if (held.has(callId) || held.size < most) return true;
      if (!isCrowded) logger.warn(`More than ${most} calls run: the monitor follows no more at once`);
      isCrowded = true;
      return false;
    },
    take: (callId) => void held.add(callId),
  };
}
