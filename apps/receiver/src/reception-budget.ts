import type { Arrival } from './connection.ts';
import type { Connections } from './connections.ts';
import { addPiece } from './pieces.ts';

/** The largest small body, in bytes. Small bodies have a share of the budget to themselves; all events but audio are smaller. */
export const SMALL_BYTES = 1_048_576;

/** The share of the budget that only small bodies may use. */
const SMALL_SHARE = 1 / 8;

/** How long a large body must have made no progress before another large body may take its place, in ms. */
const STALLED_MS = 1000;

/** How many bytes the bodies under way hold together, and how many they may hold. */
export interface Budget {
  readonly connections: Connections;
  readonly maxBytes: number;
  /** How many bytes large bodies may hold. */
  readonly maxLargeBytes: number;
  readonly bodyLimitBytes: number;
  /** Answers a body's request at once, and gives back what the body holds. */
  readonly giveUp: (budget: Budget, arrival: Arrival) => void;
  receiving: number;
  receivingLarge: number;
}

/** A budget of which nothing is taken. */
export function createBudget(limits: Omit<Budget, 'maxLargeBytes' | 'receiving' | 'receivingLarge'>): Budget {
  const maxLargeBytes = Math.ceil(limits.maxBytes * (1 - SMALL_SHARE));
  return { ...limits, maxLargeBytes, receiving: 0, receivingLarge: 0 };
}

/** Adds a part of a body that has arrived, and counts its bytes. */
export function count(budget: Budget, arrival: Arrival, chunk: Buffer): void {
  const { pieces } = arrival;
  addPiece(pieces, chunk);
  arrival.stepBytes += chunk.length;
  budget.receiving += chunk.length;
  if (arrival.isLarge) budget.receivingLarge += chunk.length;
  else if (pieces.bytes > SMALL_BYTES) {
    arrival.isLarge = true;
    budget.receivingLarge += pieces.bytes;
  }
}

/** Whether the bodies under way are within the budget; only for a large body the limit of large ones counts as well. */
export function fits({ receiving, receivingLarge, maxBytes, maxLargeBytes }: Budget, { isLarge }: Arrival): boolean {
  return receiving <= maxBytes && !(isLarge && receivingLarge > maxLargeBytes);
}

/** Gives up other bodies until this one fits. Returns false where it still does not fit. */
export function makeRoomFor(budget: Budget, arrival: Arrival): boolean {
  const now = performance.now();
  for (const { arriving } of budget.connections.receiving()) {
    if (arriving === undefined) continue;
    if (arriving === arrival || (arrival.isLarge && now - arriving.progressAt < STALLED_MS)) return false;
    if (arrival.isLarge && !arriving.isLarge) continue;
    budget.giveUp(budget, arriving);
    if (fits(budget, arrival)) return true;
  }
  return false;
}
