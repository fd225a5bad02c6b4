import type { Ledger } from '@landline/store';
import type { OperationQueue } from '../job-adder.ts';

/** The webhook queue as a replay needs it: `TrackedJobs` of packages/queue. Each method rejects with code `queue_unavailable` while Redis is away. */
export interface ReplayQueue extends OperationQueue {
  /** A job that is `gone` is done, or Redis has lost it. */
  states(ids: readonly string[]): Promise<('pending' | 'failed' | 'gone')[]>;
  takeBack(ids: readonly string[]): Promise<string[]>;
}

/** The dead-letter queue as a replay needs it. Each method rejects as those of `ReplayQueue` do, or with a `StoreError`. */
export interface ReplayLetters {
  /** Removes the letters of events that are dead no longer. */
  remove(ids: readonly string[]): Promise<void>;
  /** Makes the letters of events that died again say why they did. */
  renew(ids: readonly string[]): Promise<void>;
}

/** What a replay works with. */
export interface ReplayPorts {
  ledger: Ledger;
  queue: ReplayQueue;
  letters: ReplayLetters;
}
