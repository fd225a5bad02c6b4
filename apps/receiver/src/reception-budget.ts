import type { Arrival } from './connection.ts';
import type { Connections } from './connections.ts';
import { addPiece } from './pieces.ts';

/** Bodies up to this size, in bytes, have a share of that to themselves. All events but audio are smaller. */
export const SMALL_BYTES = 1_048_576;

/** The share: an eighth. */
const SMALL_SHARE = 1 / 8;

/** A large body gives way to another large one when it has made no progress for so long, in ms. */
const STALLED_MS = 1000;

/** What the bodies under way hold together, and what they may. In bytes. */
export interface Budget {
  readonly connections: Connections;
  readonly maxBytes: number;
  /** What large bodies may take of it. */
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

/** Notes a part of a body that has come. */
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

/** Whether nothing more is taken than may be. */
export function fits({ receiving, receivingLarge, maxBytes, maxLargeBytes }: Budget, { isLarge }: Arrival): boolean {
  return receiving <= maxBytes && !(isLarge && receivingLarge > maxLargeBytes);
}

/** Gives up other bodies until this one fits; false where it still does not. */
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
