import type { Arrival } from './connection.ts';
import type { Connections } from './connections.ts';

/** How slowly a body may arrive. */
export interface PaceLimits {
  /** How long not one byte may come, in ms (`REQUEST_TIMEOUT_MS`). */
  requestTimeoutMs: number;
  /** How many bytes a second must come on average, once a body takes longer than that (`MIN_BYTES_PER_SECOND`). */
  minBytesPerSecond: number;
}

/** The longest time between two checks, in ms. */
const CHECK_MS = 1000;

/** Returns how often bodies are checked, in ms: so much later than its limit a late body may be given up. */
export function checkIntervalMs({ requestTimeoutMs }: PaceLimits): number {
  return Math.max(50, Math.min(CHECK_MS, requestTimeoutMs / 4));
}

/**
 * Gives up bodies that arrive too slowly. The time that the receiver itself keeps a body waiting does not count.
 *
 * @param giveUp  Answers a body's request, and gives back what the body holds.
 */
export function giveUpLate(connections: Connections, limits: PaceLimits, giveUp: (arrival: Arrival) => void): void {
  const now = performance.now();
  for (const { arriving } of connections.all()) {
    if (arriving !== undefined && isLate(arriving, now, limits)) giveUp(arriving);
  }
}

function isLate(arrival: Arrival, now: number, limits: PaceLimits): boolean {
  const { requestTimeoutMs, minBytesPerSecond } = limits;
  const { bytes } = arrival;
  const pace = (arrival.pace ??= { since: now, progressAt: now, bytes, excusedMs: 0 });
  if (arrival.large?.isBusy() === true) pace.excusedMs += checkIntervalMs(limits);
  if (bytes > pace.bytes || arrival.large?.isBusy() === true) {
    pace.bytes = bytes;
    pace.progressAt = now;
  }
  const elapsed = now - pace.since - pace.excusedMs;
  if (now - pace.progressAt >= requestTimeoutMs) return true;
  return elapsed >= requestTimeoutMs && bytes < (minBytesPerSecond * elapsed) / 1000;
}

/** Returns how many bytes a second of a partial body have come on average until `now`, by `performance.now()`. */
export function averagePace({ bytes, startedAt, pace }: Arrival, now: number): number {
  const elapsed = now - startedAt - (pace?.excusedMs ?? 0);
  return (bytes * 1000) / Math.max(1, elapsed);
}
