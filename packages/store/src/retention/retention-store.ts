import { z } from 'zod';
import type { Statement } from '../connection/statement.ts';
import { openTransactions, type Transactions } from '../connection/transactions.ts';
import type { EventPosition } from '../find/filter-conditions.ts';
import { claimLockStatement } from '../operations/operation-statements.ts';
import {
  clearLedgerBodiesStatement,
  dropBodiesStatement,
  IS_MOVE_THERE,
  LIST_BODY_DAYS,
  removeStoredBodiesStatement,
} from './body-statements.ts';
import type { Cutoffs } from './cutoffs.ts';
import {
  audioOrdersStatement,
  deleteEventsStatement,
  deleteRecordingsStatement,
  deleteRejectedStatement,
  dueTranscriptsStatement,
  lateAudioOrdersStatement,
  oldConversationsStatement,
  staleLettersStatement,
  type ConversationPosition,
} from './row-statements.ts';
import {
  CLOCK,
  deleteOperationsStatement,
  LAST_RUN,
  requestRunStatement,
  RETENTION,
  runAgeStatement,
} from './run-statements.ts';
import { survey, type Survey } from './survey.ts';

/** A dead letter: the ledger id of its event, and when it was laid, in unix milliseconds. */
export interface LaidLetter {
  id: string;
  laidAt: number;
}

/** A conversation that is to be forgotten. */
export interface DueConversation {
  id: string;
  /** Whether the audio goes with it. */
  withAudio: boolean;
}

/** A page of conversations behind a position. */
export interface ConversationPage {
  after: ConversationPosition;
  limit: number;
}

/** A conversation that a walk has come to. */
export interface WalkedConversation extends ConversationPosition {
  isDue: boolean;
}

/** What retention does, each method in one transaction. Times in unix milliseconds. Every method that fails throws a `StoreError`. */
export interface RetentionStore {
  /** The days (UTC, `yyyy-mm-dd`) for which bodies have a partition, the oldest first. */
  bodyDays(): Promise<string[]>;
  /** Drops the bodies of a day. Returns false where they are gone. @throws StoreError `55P03` while others use the table */
  dropBodies(day: string): Promise<boolean>;
  /**
   * Takes bodies out of the ledger that an older version kept there, of at most `limit` events behind a position. Returns how many, and the
   * last event that was read; undefined where none is left.
   */
  clearLedgerBodies(
    before: number,
    page: { after: EventPosition; limit: number },
  ): Promise<{ cleared: number; last: EventPosition } | undefined>;
  /** Asks for the removal of whole bodies in the storage, of at most `limit` events; returns of how many. */
  removeStoredBodies(before: number, limit: number): Promise<number>;
  /** Deletes at most `limit` events of the ledger; returns how many. */
  deleteEvents(before: number, limit: number): Promise<number>;
  /** Deletes at most `limit` refused requests; returns how many. */
  deleteRejected(before: number, limit: number): Promise<number>;
  /** Marks at most `limit` recordings as deleted, and asks for the removal of their files; returns how many. */
  deleteRecordings(before: number, limit: number): Promise<number>;
  /** Lists at most `limit` conversations whose transcript is to be deleted by `now`, because the account orders it. */
  dueTranscripts(now: number, limit: number): Promise<DueConversation[]>;
  /** Walks through conversations by `delete_audio_at`, up to `now`: those that have audio still are due. */
  audioOrders(now: number, page: ConversationPage): Promise<WalkedConversation[]>;
  /** Lists at most `limit` conversations with audio that is to be deleted by `now`, which were written since a time. */
  lateAudioOrders(now: number, since: number, limit: number): Promise<string[]>;
  /** Walks through conversations by their beginning, up to a time: those that are not forgotten are due. */
  oldConversations(before: number, page: ConversationPage): Promise<WalkedConversation[]>;
  /** Returns those of these dead letters whose events' bodies are to go, or that are dead no longer. */
  staleLetters(letters: readonly LaidLetter[], before: number): Promise<string[]>;
  /** What would go, and what is next. */
  survey(cutoffs: Cutoffs): Promise<Survey>;
  /** Asks for a run of the schedule, unless there is one, or there was one within `leastMs`. Returns whether it did. */
  requestRun(filter: Readonly<Record<string, string>>, leastMs: number): Promise<boolean>;
  /** When the newest run that is done began, and the words of its filter; undefined where there is none. */
  lastRun(): Promise<{ startedAt: number; filter: unknown } | undefined>;
  /** How many seconds ago the newest run ended well, or else a run was first asked for; undefined where none ever was. */
  runAge(): Promise<number | undefined>;
  /** Deletes operations that ended before a time, and idle runs of the schedule; returns how many. */
  deleteOperations(before: number): Promise<void>;
  /** The database's clock. */
  now(): Promise<number>;
}

const daysSchema = z.array(z.object({ day: z.string() }));
const rowsSchema = z.tuple([z.object({ rows: z.number() })]);
const idsSchema = z.array(z.object({ id: z.string() }));
const transcriptsSchema = z.array(z.object({ id: z.string(), withAudio: z.boolean().nullable() }));
const walkedSchema = z.array(z.object({ id: z.string(), at: z.number(), is_due: z.boolean() }));
const clearedSchema = z.array(z.object({ id: z.string(), receivedAt: z.number(), cleared: z.number() }));
const runSchema = z.array(z.object({ startedAt: z.number(), filter: z.unknown() }));
const ageSchema = z.tuple([z.object({ age: z.number().nullable() })]);
const clockSchema = z.tuple([z.object({ now: z.number() })]);

/** Makes what retention works with, in these transactions. */
export function retentionOn(transactions: Pick<Transactions, 'run'>): RetentionStore {
  const ask = <T>(schema: z.ZodType<T>, statement: Statement) =>
    transactions.run(async (run) => schema.parse(await run(statement)));
  const count = async (statement: Statement) => (await ask(rowsSchema, statement))[0].rows;
  const walk = async (statement: Statement) =>
    (await ask(walkedSchema, statement)).map(({ id, at, is_due }) => ({ id, at, isDue: is_due }));
  const list = async (statement: Statement) => (await ask(idsSchema, statement)).map(({ id }) => id);
  return {
    bodyDays: async () => (await ask(daysSchema, LIST_BODY_DAYS)).map(({ day }) => day),
    dropBodies: (day) =>
      transactions.run(async (run) => (await run(dropBodiesStatement(day)))[0]?.['dropped'] === true),
    clearLedgerBodies: (before, { after, limit }) =>
      transactions.run(async (run) => {
        if ((await run(IS_MOVE_THERE))[0]?.['moves'] !== true) return undefined;
        const [row] = clearedSchema.parse(await run(clearLedgerBodiesStatement(before, after, limit)));
        if (row === undefined) return undefined;
        const { cleared, ...last } = row;
        return { cleared, last };
      }),
    removeStoredBodies: (before, limit) => count(removeStoredBodiesStatement(before, limit)),
    deleteEvents: (before, limit) => count(deleteEventsStatement(before, limit)),
    deleteRejected: (before, limit) => count(deleteRejectedStatement(before, limit)),
    deleteRecordings: (before, limit) => count(deleteRecordingsStatement(before, limit)),
    dueTranscripts: async (now, limit) =>
      (await ask(transcriptsSchema, dueTranscriptsStatement(now, limit))).map(({ id, withAudio }) => ({
        id,
        withAudio: withAudio === true,
      })),
    audioOrders: (now, { after, limit }) => walk(audioOrdersStatement(now, after, limit)),
    lateAudioOrders: (now, since, limit) => list(lateAudioOrdersStatement(now, since, limit)),
    oldConversations: (before, { after, limit }) => walk(oldConversationsStatement(before, after, limit)),
    staleLetters: (letters, before) => list(staleLettersStatement(letters, before)),
    survey: (cutoffs) => survey(cutoffs, transactions),
    requestRun: (filter, leastMs) =>
      transactions.run(async (run) => {
        await run(claimLockStatement(RETENTION));
        return (await run(requestRunStatement(RETENTION, filter, leastMs))).length > 0;
      }),
    lastRun: async () => (await ask(runSchema, LAST_RUN))[0],
    runAge: async () => (await ask(ageSchema, runAgeStatement(RETENTION)))[0].age ?? undefined,
    deleteOperations: async (before) => {
      await transactions.run((run) => run(deleteOperationsStatement(before)));
    },
    now: async () => (await ask(clockSchema, CLOCK))[0].now,
  };
}

/** What retention finds, on a connection of its own. */
export interface OpenRetention extends Pick<RetentionStore, 'survey' | 'now'> {
  close(): Promise<void>;
}

/** Opens what a plan needs, in transactions that are read only; it connects with the first question. */
export function openRetention(options: { databaseUrl: string; statementTimeoutMs?: number }): OpenRetention {
  const transactions = openTransactions({ ...options, poolSize: 1, isReadOnly: true });
  return { ...retentionOn(transactions), close: () => transactions.close() };
}
