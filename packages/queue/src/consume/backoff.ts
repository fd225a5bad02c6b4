const BASE_MS = 1000;
const FLOOR_MS = 500;
const CAP_MS = 5 * 60 * 1000;

/**
 * Returns how long a job waits before its next attempt, in ms. The ceiling is 1 s after the first failure, doubles after each, and is
 * 5 minutes at most. The wait is a random part of the ceiling, at least half a second: jobs that failed together come back apart.
 * Never throws: BullMQ leaves a job active whose back-off threw.
 *
 * @param attempt  The attempt that failed, 1 for the first.
 * @param random   From 0 up to 1.
 */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const doublings = Math.max(0, Math.trunc(attempt) - 1 || 0);
  const ceiling = Math.min(CAP_MS, BASE_MS * 2 ** doublings);
  return Math.round(FLOOR_MS + random() * (ceiling - FLOOR_MS));
}
