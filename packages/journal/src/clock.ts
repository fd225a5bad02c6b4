/** The time of one process. Names, records, marks and beats take it from one clock, so that none of them contradicts another. */
export interface Clock {
  /** Unix ms. It never goes back: when the system's clock is set back, it goes on from where it was. */
  now: () => number;
  /** By how much `now` is ahead of the system's clock, in ms; 0 unless that was set back. */
  lead: () => number;
  /** Ms since some moment. Intervals are measured by it, because no clock that is set changes it. */
  elapsed: () => number;
}

/** Where a clock takes its time from. */
export interface ClockOptions {
  /** The system's clock, in unix ms. */
  wall?: () => number;
  /** See `Clock`. */
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
