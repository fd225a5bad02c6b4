const BASE_MS = 1000;
const FLOOR_MS = 500;
const CAP_MS = 5 * 60 * 1000;

/**
 * How long to wait before a job is tried again, in ms: 1 s after the first failure, doubled after each, 5 minutes at most, and of that
 * a random part (full jitter, so that jobs that failed together do not come back together), half a second at least.
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
