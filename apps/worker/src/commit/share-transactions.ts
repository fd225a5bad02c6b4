import type { ApplicableEvent, ApplyOutcome } from '@landline/store';
import { bodyLength } from '@landline/webhook/delivery';

/** Applies events in one transaction; returns the outcome of each ledger id. @throws StoreError: nothing is committed */
export type Commit = (events: readonly ApplicableEvent[]) => Promise<Map<string, ApplyOutcome>>;

/** Transactions under way at once: while one commits, the next is filled. More would only wait for each other's rows. */
export const MAX_TRANSACTIONS = 2;

/** Events in one transaction at most: past this, statements grow and no longer get cheaper for each event. */
const MAX_EVENTS = 1_000;

/**
 * Bytes of bodies in one transaction at most. The client holds each body three times while it writes it: as text, as bytes, and in the
 * driver's message. A larger group has a transaction of its own. With 16 MiB a backlog of transcripts took more memory and no less CPU.
 */
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * A transaction begins so many milliseconds after the one before at the earliest; what comes meanwhile gathers. A transaction has
 * a fixed cost beside that of its events: without this, a medium load would keep the machine busy. The times are even: two that begin at once and
 * then a longer pause would cost as much, and every event would wait for twice as long.
 */
const SPACING_MS = 12;

/**
 * While so few events come within `WINDOW_MS` (400 a second), a transaction begins as soon as none is under way: gathering would be most of the
 * time until an event's row is there. On a busy machine a transaction takes longer, so more events share the next one.
 */
const FEW_EVENTS = 10;
const WINDOW_MS = 25;

/** With so many events waiting, nothing is gained by gathering more. */
const ENOUGH_EVENTS = 200;

/** A transaction that has begun. */
interface Begun {
  /** By the process' clock, in milliseconds. */
  at: number;
  events: number;
}

/** One caller's events, waiting for a transaction. */
interface Share {
  events: readonly ApplicableEvent[];
  /** Of the bodies. */
  bytes: number;
  resolve: (outcomes: Map<string, ApplyOutcome>) => void;
  reject: (error: unknown) => void;
}

/**
 * Group commit at the worker's end: groups that wait at the same time share a transaction, because a transaction costs much
 * the same for one event as for hundreds. A group that comes alone waits for nothing. Where a shared transaction fails, each group is
 * applied on its own, so that every caller gets its own outcome or its own error.
 *
 * @param commit  Commits the events of one transaction.
 */
export function shareTransactions(commit: Commit): Commit {
  const waiting: Share[] = [];
  /** The transactions that began within the last `WINDOW_MS`, oldest first. */
  const begun: Begun[] = [];
  let running = 0;
  let gathering: NodeJS.Timeout | undefined;

  /** Returns for how long what waits is to gather on, in milliseconds; 0 or less: not at all. */
  function restOfGathering(now: number): number {
    const came = begun.reduce((sum, { events }) => sum + events, countEvents(waiting));
    const mayBegin = running === 0 && came <= FEW_EVENTS;
    return mayBegin ? 0 : (begun.at(-1)?.at ?? -SPACING_MS) + SPACING_MS - now;
  }

  function next(): void {
    while (running < MAX_TRANSACTIONS && waiting.length > 0) {
      const now = performance.now();
      while (begun[0] !== undefined && begun[0].at <= now - WINDOW_MS) begun.shift();
      const gatherMs = isEnough(waiting) ? 0 : restOfGathering(now);
      if (gatherMs > 0) {
        gathering ??= setTimeout(() => {
          gathering = undefined;
          next();
        }, gatherMs);
        return;
      }
      const shares = takeShares(waiting);
      begun.push({ at: now, events: countEvents(shares) });
      running++;
      void commitShares(commit, shares).finally(() => {
        running--;
        next();
      });
    }
  }

  return (events) =>
    new Promise((resolve, reject) => {
      waiting.push({ events, bytes: bytesOf(events), resolve, reject });
      next();
    });
}

function bytesOf(events: readonly ApplicableEvent[]): number {
  return events.reduce((sum, { entry }) => sum + bodyLength(entry.delivery), 0);
}

function countEvents(shares: readonly Share[]): number {
  return shares.reduce((sum, { events }) => sum + events.length, 0);
}

/** Tells whether nothing is gained by gathering more. */
function isEnough(waiting: readonly Share[]): boolean {
  let events = 0;
  let bytes = 0;
  return waiting.some(
    (share) => (events += share.events.length) >= ENOUGH_EVENTS || (bytes += share.bytes) >= MAX_BYTES,
  );
}

/**
 * Takes the shares that came first: as many as fit into one transaction, and at least one. None is passed over, so a large share has its
 * turn after those before it.
 */
function takeShares(waiting: Share[]): Share[] {
  let events = 0;
  let bytes = 0;
  const fitting = waiting.findIndex((share) => {
    events += share.events.length;
    bytes += share.bytes;
    return events > MAX_EVENTS || bytes > MAX_BYTES;
  });
  return waiting.splice(0, fitting < 0 ? waiting.length : Math.max(1, fitting));
}

/** Answers every share; never rejects. */
async function commitShares(commit: Commit, shares: readonly Share[]): Promise<void> {
  try {
    const outcomes = await commit(shares.flatMap((share) => share.events));
    const answered = new Set<string>();
    for (const share of shares) share.resolve(outcomesOf(share, outcomes, answered));
  } catch (error) {
    const [only] = shares;
    if (shares.length === 1 && only) only.reject(error);
    else await Promise.all(shares.map((share) => commitShares(commit, [share])));
  }
}

/** An event that several shares hold is applied once: to all but the first of them it is a duplicate. */
function outcomesOf(
  share: Share,
  outcomes: ReadonlyMap<string, ApplyOutcome>,
  answered: Set<string>,
): Map<string, ApplyOutcome> {
  const own = new Map<string, ApplyOutcome>();
  for (const { entry } of share.events) {
    // A share that holds an event twice has its outcome once.
    if (own.has(entry.id)) continue;
    own.set(entry.id, answered.has(entry.id) ? 'duplicate' : (outcomes.get(entry.id) ?? 'duplicate'));
    answered.add(entry.id);
  }
  return own;
}
