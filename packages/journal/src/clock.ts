/**
 * The clock of one process. Names, records, marks and beats take their times from it, so they agree with each other.
 */
export interface Clock {
  /** Unix ms. It never goes back: when the system's clock is set back, it goes on from its last time. */
  now: () => number;
  /** How far `now` is ahead of the system's clock, in ms; 0 unless the system's clock was set back. */
  lead: () => number;
  /** A monotonic time in ms, for intervals. Setting the system's clock does not change it. */
  elapsed: () => number;
}

/** The sources of a clock's time. */
export interface ClockOptions {
  /** The system's clock, in unix ms. */
  wall?: () => number;
  /** A monotonic time in ms, see `Clock`. */
  elapsed?: () => number;
}

/** Makes a clock. */
export function createClock({ wall = Date.now, elapsed = () => performance.now() }: ClockOptions = {}): Clock {
  let last = -Infinity;
  let lastElapsed = elapsed();
  const now = (): number => {
    const running = elapsed();
    last = Math.max(wall(), last + running - lastElapsed);
    lastElapsed = running;
    return Math.floor(last);
  };
  return { now, lead: () => Math.max(0, now() - wall()), elapsed };
}
