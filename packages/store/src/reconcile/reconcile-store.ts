import { z } from 'zod';
import type { Statement } from '../connection/statement.ts';
import { openTransactions, type Transactions } from '../connection/transactions.ts';
import { claimLockStatement } from '../operations/operation-statements.ts';
import { RECONCILE, requestRunStatement, runAgeStatement } from '../retention/run-statements.ts';
import { arrivalsStatement } from './arrivals-statement.ts';
import { erasedSinceOn, type WasErasedSince } from './erased-since.ts';
import {
  COUNT_UNFINISHED,
  judgeStatement,
  knownStatement,
  neverComparedStatement,
  unfetchableStatement,
  unfinishedStatement,
} from './known-statements.ts';
import { bySortedId, writeListed } from './list-statement.ts';
import { markErased } from './mark-erased.ts';
import { COMPLETENESS, type KnownCall, type ReconcileRun, type ReconcileStore } from './reconcile.ts';
import {
  beginCheckStatement,
  DELETE_OLD_RUNS,
  fetchedSinceStatement,
  FIRST_RUN,
  lastGoodRunStatement,
  OLDEST_WINDOW,
  READ_CHECK,
  refusedStatement,
  runStatement,
  saveCheckStatement,
  writeRunStatement,
} from './run-statements.ts';

/** Refused requests that are listed. */
const MOST_REFUSED = 20;

const knownSchema = z
  .object({
    id: z.string(),
    completeness: z.enum(COMPLETENESS).nullable(),
    hasAccount: z.boolean(),
    mayLackTurns: z.boolean(),
    hasDeadAccount: z.boolean(),
    hasRecording: z.boolean(),
    // Whatever an account says that is no boolean says nothing.
    saysAudio: z.boolean().nullable().catch(null),
    isAudioToGo: z.boolean(),
    isErased: z.boolean(),
    wasListed: z.boolean(),
    startedAt: z.number(),
    endedAt: z.number().nullable(),
  })
  .transform(({ hasDeadAccount, ...call }): KnownCall => ({
    ...call,
    isAccountDead: hasDeadAccount && (!call.hasAccount || call.mayLackTurns),
  }));

const runSchema = z.object({
  id: z.string(),
  windowFrom: z.number(),
  windowTo: z.number(),
  startedAt: z.number(),
  finishedAt: z.number().nullable(),
  error: z.string().nullable(),
  listed: z.number(),
  complete: z.number(),
  waiting: z.number(),
  fetched: z.number(),
  fetchedRecordings: z.number(),
  unfetchable: z.number(),
});

const unfetchableSchema = z.array(z.object({ id: z.string(), reason: z.string().nullable() }));
const oldestSchema = z.tuple([z.object({ oldest: z.number().nullable() })]);
const firstSchema = z.tuple([z.object({ firstAt: z.number().nullable() })]);
const ageSchema = z.tuple([z.object({ age: z.number().nullable() })]);
const fetchedSchema = z.tuple([z.object({ transcripts: z.number(), recordings: z.number(), complete: z.number() })]);
const countSchema = z.array(z.object({ completeness: z.string(), count: z.number() }));
const checkSchema = z.array(z.object({ savedAt: z.number(), check: z.unknown() }));
const arrivalsSchema = z.array(z.object({ came: z.enum(['webhook', 'fetched']) }).transform(({ came }) => came));
const refusedSchema = z.array(
  z.object({ receivedAt: z.number(), code: z.string(), cause: z.string(), advice: z.string() }),
);

/** Reads runs. */
export function readRuns(rows: readonly unknown[]): ReconcileRun[] {
  return z.array(runSchema).parse(rows);
}

/** The methods of a `ReconcileStore` that change nothing, and that the console and a plan need. */
export type ReconcileReader = Pick<
  ReconcileStore,
  | 'known'
  | 'unfinished'
  | 'neverCompared'
  | 'unfetchable'
  | 'counts'
  | 'run'
  | 'lastGoodRun'
  | 'lastWholeRun'
  | 'oldestWindow'
  | 'readProviderCheck'
  | 'arrivals'
  | 'refusedBetween'
>;

/** Makes what reads, in these transactions. */
export function reconcileReaderOn(transactions: Pick<Transactions, 'run'>): ReconcileReader {
  const ask = <T>(schema: z.ZodType<T>, statement: Statement) =>
    transactions.run(async (run) => schema.parse(await run(statement)));
  return {
    known: async (ids) => {
      const calls = ids.length === 0 ? [] : await ask(z.array(knownSchema), knownStatement(ids));
      return new Map(calls.map((call) => [call.id, call]));
    },
    unfinished: ({ since, after = '', limit }) => ask(z.array(knownSchema), unfinishedStatement(since, after, limit)),
    neverCompared: ({ since, after = { startedAt: since, id: '' }, limit }) =>
      ask(z.array(knownSchema), neverComparedStatement(after, limit)),
    unfetchable: ({ after = '', limit }) => ask(unfetchableSchema, unfetchableStatement(after, limit)),
    counts: async () => {
      const counts = { open: 0, waiting: 0, missing: 0, unfetchable: 0 };
      const rows = await ask(countSchema, COUNT_UNFINISHED);
      return { ...counts, ...Object.fromEntries(rows.map(({ completeness, count }) => [completeness, count])) };
    },
    run: async (id) => (await ask(z.array(runSchema), runStatement(id)))[0],
    lastGoodRun: async () => (await ask(z.array(runSchema), lastGoodRunStatement()))[0],
    lastWholeRun: async (hours) => (await ask(z.array(runSchema), lastGoodRunStatement(hours)))[0],
    oldestWindow: async () => (await ask(oldestSchema, OLDEST_WINDOW))[0].oldest ?? undefined,
    readProviderCheck: async () => (await ask(checkSchema, READ_CHECK))[0],
    arrivals: (from, to) => ask(arrivalsSchema, arrivalsStatement(from, to)),
    refusedBetween: (from, to) => ask(refusedSchema, refusedStatement(from, to, MOST_REFUSED)),
  };
}

/** Makes what a comparison works with, in these transactions. */
export function reconcileOn(
  transactions: Pick<Transactions, 'run'>,
  wasErasedSince: WasErasedSince = erasedSinceOn(transactions),
): ReconcileStore {
  return {
    ...reconcileReaderOn(transactions),
    firstRunAt: () => transactions.run(async (run) => firstSchema.parse(await run(FIRST_RUN))[0].firstAt ?? undefined),
    noteListed: async (calls) => {
      if (calls.length > 0) await transactions.run((run) => writeListed(bySortedId(calls), run));
    },
    judge: async (verdicts, reasons) => {
      if (verdicts.size > 0) await transactions.run((run) => run(judgeStatement(verdicts, reasons)));
    },
    markErased: (ids, said) => markErased({ ids, said }, transactions),
    wasErasedSince,
    fetchedSince: (since) =>
      transactions.run(async (run) => fetchedSchema.parse(await run(fetchedSinceStatement(since)))[0]),
    requestRun: (filter, leastMs) =>
      transactions.run(async (run) => {
        await run(claimLockStatement(RECONCILE));
        return (await run(requestRunStatement(RECONCILE, filter, leastMs))).length > 0;
      }),
    writeRun: (written) =>
      transactions.run(async (run) => {
        await run(writeRunStatement(written));
        if (written.finishedAt !== null) await run(DELETE_OLD_RUNS);
      }),
    runAge: () =>
      transactions.run(async (run) => ageSchema.parse(await run(runAgeStatement(RECONCILE)))[0].age ?? undefined),
    beginProviderCheck: (leastMs) =>
      transactions.run(async (run) => (await run(beginCheckStatement(leastMs))).length > 0),
    saveProviderCheck: async (check) => void (await transactions.run((run) => run(saveCheckStatement(check)))),
  };
}

/** What a plan asks, on a connection of its own. */
export interface OpenReconcileReader extends ReconcileReader {
  close(): Promise<void>;
}

/** Opens what a plan needs, in transactions that are read only; it connects with the first question. */
export function openReconcileReader(options: {
  databaseUrl: string;
  statementTimeoutMs?: number;
}): OpenReconcileReader {
  const transactions = openTransactions({ ...options, poolSize: 1, isReadOnly: true });
  return { ...reconcileReaderOn(transactions), close: () => transactions.close() };
}
