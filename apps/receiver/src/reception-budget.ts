import type { Arrival } from './connection.ts';
import type { Connections } from './connections.ts';
import { averagePace } from './late-bodies.ts';

/** The largest body that is held in memory, in bytes. A larger one goes into the spool. All events but audio are smaller. */
export const SMALL_BYTES = 1_048_576;

/** How long a large body must have made no progress before another large body may take its place, in ms. */
const STALLED_MS = 1000;

/** What the bodies under way hold together, and what they may hold. */
export interface Budget {
  readonly connections: Connections;
  /** How many bytes of memory bodies may hold. */
  readonly maxBytes: number;
  /** How many bodies may be on their way into the spool at once. */
  readonly maxLarge: number;
  /** Answers a body's request at once, and gives back what the body holds. */
  readonly giveUp: (arrival: Arrival) => void;
  /** Does the same for a body whose sender is not to blame. */
  readonly displace: (arrival: Arrival) => void;
  held: number;
  large: number;
}

/** Makes a budget of which nothing is taken. */
export function createBudget(limits: Omit<Budget, 'held' | 'large'>): Budget {
  return { ...limits, held: 0, large: 0 };
}

/** Makes room in memory: gives up other bodies until all fit. Returns false where they still do not. */
export function makeRoom(budget: Budget, arrival: Arrival): boolean {
  if (budget.held <= budget.maxBytes) return true;
  for (const { arriving } of budget.connections.receiving()) {
    if (arriving === undefined || arriving.large !== undefined) continue;
    if (arriving === arrival) return false;
    budget.giveUp(arriving);
    if (budget.held <= budget.maxBytes) return true;
  }
  return false;
}

/** Makes a place for one more large body: gives up one that has stalled. Returns false where there is none. */
export function makePlace(budget: Budget): boolean {
  if (budget.large < budget.maxLarge) return true;
  const now = performance.now();
  for (const { arriving } of budget.connections.receiving()) {
    if (arriving?.large === undefined || arriving.large.isBusy()) continue;
    if (now - arriving.progressAt < STALLED_MS) return false;
    budget.giveUp(arriving);
    return true;
  }
  return false;
}

/**
 * Makes room in the spool for a piece of a body: gives up bodies that arrive more slowly, the slowest first, until `hasRoom` says that the
 * piece fits. So a stranger who wants to keep good bodies out must send faster than their senders, on every body.
 */
export function makeSpoolRoom(budget: Budget, arrival: Arrival, hasRoom: () => boolean): void {
  while (!hasRoom()) {
    const slower = slowestBelow(budget, arrival);
    if (slower === undefined) return;
    budget.displace(slower);
  }
}

/** Returns the slowest of the large bodies that arrive more slowly than `arrival`; undefined where there is none. */
function slowestBelow({ connections }: Budget, arrival: Arrival): Arrival | undefined {
  const now = performance.now();
  let slowest: Arrival | undefined;
  let least = averagePace(arrival, now);
  for (const { arriving } of connections.receiving()) {
    if (arriving?.large === undefined) continue;
    const pace = averagePace(arriving, now);
    if (pace >= least) continue;
    slowest = arriving;
    least = pace;
  }
  return slowest;
}
