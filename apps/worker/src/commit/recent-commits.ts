import { isCanary } from '@landline/webhook/canary';
import type { LedgerEntry } from '@landline/webhook/changes';

/** So many transactions are remembered: those of half a minute at least, however many a second there are. */
const MOST_KEPT = 4_096;

/** One transaction that was committed. */
export interface Commit {
  /** The ledger id of one of its events. */
  id: string;
  /** When the first of its events was received, in unix ms. */
  receivedAt: number;
  /** When it was committed, in unix ms. */
  committedAt: number;
}

/** Remembers the last transactions of this worker by one event each, so that it can be asked for whether they are still there. */
export interface RecentCommits {
  /** Notes a transaction that was committed. */
  add(events: readonly { entry: LedgerEntry }[]): void;
  all(): readonly Commit[];
}

/** Makes it, empty. */
export function createRecentCommits(): RecentCommits {
  let commits: Commit[] = [];
  return {
    add(events) {
      // A canary leaves no row.
      const kept = events.filter((event) => !isCanary(event));
      const [first] = kept;
      if (first === undefined) return;
      const receivedAt = kept.reduce((least, { entry }) => Math.min(least, entry.delivery.receivedAt), Infinity);
      commits.push({ id: first.entry.id, receivedAt, committedAt: Date.now() });
      if (commits.length >= MOST_KEPT * 2) commits = commits.slice(-MOST_KEPT);
    },
    all: () => commits,
  };
}
