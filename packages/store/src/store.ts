import { applyEvents, recordDead, type ApplicableEvent, type ApplyOutcome } from './apply.ts';
import { openTransactions, type TransactionOptions, type Transactions } from './connection/transactions.ts';
import { erasingOn, type Erasing } from './forget/erasing.ts';
import { forgetConversations, type Forgotten, type HowToForget } from './forget/forget-conversations.ts';
import { recordingsToRemoveOn, type RecordingsToRemove } from './forget/recordings-to-remove.ts';
import { leaveBeat, type Beat, type NextBeat } from './ledger/beat.ts';
import {
  countDeadStatement,
  isDeadStatement,
  listDeadStatement,
  readCount,
  readDeadStatement,
  readListings,
  readRecords,
  type DeadListing,
  type DeadPosition,
  type DeadRecord,
} from './ledger/dead-statement.ts';
import { ledgerOn, type Ledger } from './find/ledger.ts';
import { failureMarksOn, type FailureMarks } from './lookup/failure-marks.ts';
import { operationsOn, type OperationStore } from './operations/operation-store.ts';
import { comparing } from './reconcile/compare-person.ts';
import { markErasedOnTheWay } from './reconcile/erased-on-the-way.ts';
import { erasedSinceOn } from './reconcile/erased-since.ts';
import { reconcileOn } from './reconcile/reconcile-store.ts';
import type { ReconcileStore } from './reconcile/reconcile.ts';
import { retentionOn, type RetentionStore } from './retention/retention-store.ts';
import { createRejectedTable, type RejectedTable } from './rejected/rejected-table.ts';
import { checkDurability } from './schema/durability.ts';
import type { DeadEvent } from './ledger/ledger-statement.ts';
import { findMissing, type Missing } from './ledger/missing.ts';
import { makePartitionsAhead, withBodies } from './ledger/with-bodies.ts';

/** How to open a store. */
export type StoreOptions = TransactionOptions;

/** Where events rest. Every method that fails throws a `StoreError`. */
export interface Store extends RejectedTable {
  /**
   * Applies events in one transaction. Safe to repeat: what the ledger has is not applied again. The call of a fetched account whose person was erased
   * while it was on its way is marked first, so that its events are ignored.
   *
   * @returns  Each ledger id's outcome.
   */
  apply(events: readonly ApplicableEvent[]): Promise<Map<string, ApplyOutcome>>;
  /** Records events as dead; returns the ledger ids of those that are dead now, and not applied in the meantime. */
  recordDead(events: readonly DeadEvent[]): Promise<Set<string>>;
  /** Lists dead events behind a position, the oldest first, at most `limit`. */
  listDead(page: { after?: DeadPosition | undefined; limit: number }): Promise<DeadListing[]>;
  /** Reads those of these events that are dead, with the bodies that are there: mind how many bytes `listDead` says they have. */
  readDead(ids: readonly string[]): Promise<DeadRecord[]>;
  /** Tells whether an event is dead. */
  isDead(id: string): Promise<boolean>;
  /** Counts the dead events of the ledger. */
  countDead(): Promise<number>;
  /** Resolves when the database answers. */
  ping(): Promise<void>;
  /** Resolves when events could be applied now: the tables are there, this user may write to them, and nobody locks them. */
  probe(): Promise<void>;
  /**
   * Finds the beat, asks `next` what to leave in its place, and leaves that. Nobody else leaves one meanwhile.
   *
   * @returns  The beat that is committed now.
   */
  beat(next: NextBeat): Promise<Beat>;
  /** Tells which of these ledger ids are not there, and which server answers. */
  missing(ids: readonly string[]): Promise<Missing>;
  /** Makes the partitions of bodies that are missing from yesterday to a week ahead, in UTC days; returns how many. */
  makeBodyPartitions(): Promise<number>;
  /** What the server's settings put at risk, and what to do about each; none when nothing is. */
  durabilityRisks(): Promise<string[]>;
  /**
   * Forgets conversations, a hundred at most, in one transaction; safe to repeat. See `forgetConversations` of forget/: their audio is on the list
   * of `recordingsToRemove` then, and the dead letters that it names are to go.
   */
  forgetConversations(ids: readonly string[], what: HowToForget): Promise<Forgotten>;
  /** The files that the storage is to lose, on the same connections. */
  readonly recordingsToRemove: RecordingsToRemove;
  /** What an erasure asks and does beside that, on the same connections. */
  readonly erasing: Erasing;
  /** Finds events, on the same connections. */
  readonly ledger: Ledger;
  /** The table of operations, on the same connections. */
  readonly operations: OperationStore;
  /** The groups of dead events that are known, on the same connections. */
  readonly failures: FailureMarks;
  /** What retention finds and deletes, on the same connections. */
  readonly retention: RetentionStore;
  /** What a comparison with the provider works with, on the same connections. */
  readonly reconcile: ReconcileStore;
  /** Closes all connections. */
  close(): Promise<void>;
}

/** A probe is to be answered soon, and to leave its connection to the work. */
const PROBE_LIMIT = `SELECT set_config('lock_timeout', '1000', true)`;

/** The lock that every INSERT and UPDATE takes; one for all writers, so it holds up nobody. Without ONLY it would take each partition. */
const TAKE_TABLES = `LOCK TABLE webhook_events, ONLY webhook_bodies, conversations, conversation_messages, agent_tool_calls,
  user_commands, user_profiles, conversation_recordings IN ROW EXCLUSIVE MODE`;

/** Opens a store; it connects with the first call. @throws ConfigurationError for a URL that cannot be meant */
export function createStore(options: StoreOptions): Store {
  return storeOn(openTransactions(options));
}

/** Makes a store that works in these transactions, and closes them with itself. */
export function storeOn(transactions: Transactions): Store {
  const isOf = comparing();
  const markErased = markErasedOnTheWay(transactions, isOf);
  return {
    ...createRejectedTable(transactions),
    apply: async (events) => {
      await markErased(events);
      return withBodies(events, transactions, (options) =>
        transactions.run((run, runAtCommit) => applyEvents(events, { run, runAtCommit, ...options })),
      );
    },
    recordDead: (events) =>
      withBodies(events, transactions, (options) => transactions.run((run) => recordDead(events, { run, ...options }))),
    listDead: ({ after, limit }) =>
      transactions.run(async (run) => readListings(await run(listDeadStatement(after, limit)))),
    readDead: (ids) => transactions.run(async (run) => readRecords(await run(readDeadStatement(ids)))),
    isDead: (id) => transactions.run(async (run) => (await run(isDeadStatement(id))).length > 0),
    countDead: () => transactions.run(async (run) => readCount(await run(countDeadStatement()))),
    ping: async () => {
      await transactions.run(async () => undefined);
    },
    probe: async () => {
      await transactions.run(async (run) => {
        await run({ sql: PROBE_LIMIT, parameters: [] });
        await run({ sql: TAKE_TABLES, parameters: [] });
      });
    },
    beat: (next) => transactions.run((run) => leaveBeat(run, next)),
    missing: (ids) => transactions.run((run) => findMissing(ids, run)),
    makeBodyPartitions: () => makePartitionsAhead(transactions),
    durabilityRisks: () => transactions.run(checkDurability),
    forgetConversations: (ids, what) => transactions.run((run) => forgetConversations(ids, what, run)),
    recordingsToRemove: recordingsToRemoveOn(transactions),
    erasing: erasingOn(transactions),
    ledger: ledgerOn(transactions),
    operations: operationsOn(transactions),
    failures: failureMarksOn(transactions),
    retention: retentionOn(transactions),
    reconcile: reconcileOn(transactions, erasedSinceOn(transactions, { isOf })),
    close: () => transactions.close(),
  };
}
