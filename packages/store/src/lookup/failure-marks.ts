import type { Transactions } from '../connection/transactions.ts';
import { markStatement, unmarkStatement } from './failure-statements.ts';

/** The groups of dead events that somebody marked as known. Every method that fails throws a `StoreError`. */
export interface FailureMarks {
  /**
   * Marks a group as known; a mark that is there is replaced. It holds until an event of the group dies after `at`. Where somebody has marked the group
   * or taken a mark back after `at`, nothing happens.
   *
   * @param fingerprint  12 hex characters.
   * @param by           The name of a login.
   * @param at           When somebody asked for it, in unix ms; by default now. A time to come is taken for now.
   */
  markKnown(fingerprint: string, by: string, at?: number): Promise<void>;
  /** Takes a mark back that is not newer than `at`, and keeps marks away that are older. */
  unmark(fingerprint: string, at?: number): Promise<void>;
}

/** Makes the marks in these transactions. */
export function failureMarksOn(transactions: Pick<Transactions, 'run'>): FailureMarks {
  return {
    markKnown: (fingerprint, by, at = Date.now()) =>
      transactions.run(async (run) => void (await run(markStatement(fingerprint, by, at)))),
    unmark: (fingerprint, at = Date.now()) =>
      transactions.run(async (run) => void (await run(unmarkStatement(fingerprint, at)))),
  };
}
