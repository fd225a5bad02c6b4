import { z } from 'zod';
import { readDatabaseUrl } from '../connection/database-url.ts';
import { openTransactions, type Run, type Transactions } from '../connection/transactions.ts';
import type { EventPosition } from '../find/filter-conditions.ts';
import type { StoredBody } from '../find/ledger.ts';
import type { Lease } from '../operations/operation-statements.ts';
import { carryProfilesStatement } from './carry-statements.ts';
import { compareNext, compareSkipped } from './compare-tables.ts';
import { differencesStatement } from './compare-statement.ts';
import { foldEvents, type Folded } from './fold-events.ts';
import { carryUnknown, copyCarried, type Followed } from './follow-changes.ts';
import { readApplied, type AppliedEvents, type ReadLimits } from './read-applied.ts';
import { COUNT_APPLIED } from './rebuild-statements.ts';
import {
  differenceSchema,
  type KeptTables,
  type RebuildPlan,
  type RebuildState,
  type TableDifference,
} from './rebuild-state.ts';
import {
  begin,
  drop,
  finish,
  follow,
  listKept,
  LOCK_MS,
  readBuild,
  readDependents,
  readPlan,
  takeStep,
  writeState,
  type Lose,
  type RebuildBuild,
} from './steps.ts';

/** How long a statement over whole tables may run, in ms: an index of a large table takes an hour. */
const LONG_MS = 12 * 3_600_000;

/** How long a transaction may do nothing, in ms: that of a worker which is frozen would keep the tables from being swapped. */
const IDLE_MS = 60_000;

/** Transactions of a rebuild under way at once, and one for the ledger. */
const CONNECTIONS = 4;

/** Rebuilds of the tables: each is a schema beside them. Every method that fails throws a `StoreError`. */
export interface Rebuilds {
  /** Says what a rebuild would be about. Reads the whole ledger. */
  plan(): Promise<RebuildPlan>;
  /** Counts the events that are folded. */
  countApplied(): Promise<number>;
  /** Lists what somebody else has made on the tables: see `RebuildPlan`. */
  dependents(): Promise<string[]>;
  /** Lists the tables beside those that are read. */
  kept(): Promise<KeptTables[]>;
  /** Makes the schema of an operation, which notes from now on what changes. 55P03 where others hold the ledger for a second: try again. */
  begin(operation: string, code: string): Promise<string>;
  /** Reads how far a rebuild is; undefined where its schema is gone. */
  read(schema: string): Promise<RebuildBuild | undefined>;
  /** Writes a state in place of another one. False where another worker has written one in between. */
  write(schema: string, state: RebuildState, next: RebuildState): Promise<boolean>;
  /** Reads applied events of the ledger behind a place, in the order of their receipt. */
  readApplied(after: EventPosition | undefined, limits: ReadLimits): Promise<AppliedEvents>;
  /** Folds events. Safe to repeat, and in any order. */
  fold(schema: string, bodies: readonly StoredBody[]): Promise<Folded>;
  /** Makes the next index that is missing; false where none is. */
  makeNextIndex(schema: string): Promise<boolean>;
  /** Has Postgres learn what is in the tables. */
  analyze(schema: string): Promise<void>;
  /** Finds what the ledger cannot give any more. */
  findCarried(schema: string): Promise<void>;
  /** Copies some of that; false where all is copied. */
  copyCarried(schema: string): Promise<boolean>;
  /** Takes over some of what has changed since; undefined where another worker has the rebuild. */
  follow(schema: string): Promise<Followed | undefined>;
  /** Compares a slice of the tables; returns the next state. Undefined where that was done already: read the state, and go on. */
  compareNext(schema: string, state: RebuildState): Promise<RebuildState | undefined>;
  /** Compares some of what was passed over because it changed meanwhile; returns how many owners that were. */
  compareSkipped(schema: string): Promise<number>;
  /**
   * Takes over the rest while no event is applied, compares what is left, and swaps where that is asked for: all of it or nothing.
   *
   * @returns  The schema that has the old tables; `schema` without a swap; undefined where another worker has the operation.
   */
  finish(lease: Lease, schema: string, options: { swap: boolean }): Promise<string | undefined>;
  /** Reads what differs: of a rebuild, or of the tables that it replaced. */
  differences(schema: string): Promise<TableDifference[]>;
  /** Drops a schema of `kept` with its tables, where it is still there. 55P03 as with `begin`; 2BP01 where somebody else has made something on them. */
  drop(schema: string): Promise<void>;
  /** Has nothing noted any more for schemas that are gone. 55P03 as with `begin`. */
  unfollow(): Promise<void>;
  close(): Promise<void>;
}

/** Opens the rebuilds of a database's tables; connects with the first question. */
export function openRebuilds({ databaseUrl }: { databaseUrl: string }): Rebuilds {
  const place = readDatabaseUrl(databaseUrl).schema;
  const options = {
    statementTimeoutMs: LONG_MS,
    lockTimeoutMs: LOCK_MS,
    idleTimeoutMs: IDLE_MS,
    poolSize: CONNECTIONS,
  };
  return rebuildsOn(openTransactions({ databaseUrl, ...options }), place);
}

function rebuildsOn(transactions: Transactions, place: string | undefined): Rebuilds {
  const inOne = <T>(work: (run: Run) => Promise<T>) => transactions.run((run) => work(run));
  const unlessLost = <T>(work: (run: Run, lose: Lose) => Promise<T>) => runUnlessLost(transactions, work);
  return {
    plan: () => inOne(readPlan),
    countApplied: () => inOne(async (run) => Number((await run(COUNT_APPLIED))[0]?.['events'])),
    dependents: () => inOne(readDependents),
    kept: () => inOne(listKept),
    begin: (operation, code) => inOne((run) => begin(run, operation, code)),
    read: (schema) => inOne((run) => readBuild(run, schema)),
    write: (schema, state, next) => inOne((run) => writeState(run, { schema, states: [state, next], isAgain: true })),
    readApplied: (after, limits) => inOne((run) => readApplied(run, after, limits)),
    fold: (schema, bodies) => inOne((run) => foldEvents(run, bodies, { schema, place })),
    makeNextIndex: (schema) => inOne(async (run) => (await takeStep(run, 'index', schema)) !== undefined),
    analyze: (schema) => inOne(async (run) => void (await takeStep(run, 'analyze', schema))),
    findCarried: (schema) =>
      inOne(async (run) => {
        await carryUnknown(run, schema);
        await run(carryProfilesStatement(schema));
      }),
    copyCarried: (schema) => inOne((run) => copyCarried(run, schema)),
    follow: (schema) => unlessLost((run, lose) => follow(run, { schema, place }, lose)),
    compareNext: (schema, state) =>
      unlessLost(async (run, lose) => {
        const next = await compareNext(run, schema, state);
        return (await writeState(run, { schema, states: [state, next] })) ? next : lose();
      }),
    compareSkipped: (schema) => inOne((run) => compareSkipped(run, schema)),
    finish: (lease, schema, { swap }) => unlessLost((run, lose) => finish(run, { lease, swap, schema, place }, lose)),
    differences: (schema) =>
      inOne(async (run) => z.array(differenceSchema).parse(await run(differencesStatement(schema)))),
    drop: (schema) => inOne((run) => drop(run, schema)),
    unfollow: () => inOne(async (run) => void (await takeStep(run, 'unfollow', ''))),
    close: () => transactions.close(),
  };
}

/** Runs one transaction; returns undefined, and changes nothing, where it loses its work to another worker. */
async function runUnlessLost<T>(
  transactions: Transactions,
  work: (run: Run, lose: Lose) => Promise<T>,
): Promise<T | undefined> {
  let isLost = false;
  const lose: Lose = () => {
    isLost = true;
    throw new Error('Another worker has the rebuild.');
  };
  try {
    return await transactions.run((run) => work(run, lose));
  } catch (error) {
    if (isLost) return undefined;
    throw error;
  }
}
