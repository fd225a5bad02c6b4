import { z } from 'zod';
import type { Statement } from '../connection/statement.ts';
import { openTransactions, type Run, type Transactions } from '../connection/transactions.ts';
import { clearWordsStatement } from '../reconcile/clear-words.ts';
import { wordsLockStatement } from '../reconcile/words-lock.ts';
import { forgetInLedger, markEventsStatement } from './forget-ledger.ts';
import { forgetInKeptTablesStatement } from './forget-statements.ts';
import {
  addCountsStatement,
  beginErasureStatement,
  clearFiltersStatement,
  clearNumbersStatement,
  deleteProfilesStatement,
  deleteRejectedStatement,
  endErasureStatement,
  erasedAmongStatement,
  erasedSinceStatement,
  findConversationsStatement,
  findPersonStatement,
  getErasureStatement,
  erasurePlanStatement,
} from './person-statements.ts';
import { removeLaterStatement } from './recordings-to-remove.ts';
import type { Person, Subject } from './subject.ts';

/** How much of a subject there is, by place. */
export interface ErasurePlan {
  conversations: number;
  /** Conversations of this id that were erased before. */
  erased_before: number;
  messages: number;
  tool_calls: number;
  commands: number;
  events: number;
  recordings: number;
  profiles: number;
  /** How many users these conversations have. */
  users: number;
}

/** An erasure as the table has it. Times in unix milliseconds. */
export interface Erasure {
  id: string;
  kind: string;
  subjectHash: string;
  requestedAt: number;
  doneAt: number | null;
  counts: Record<string, number | string>;
}

/**
 * What an erasure asks and does beside `forgetConversations`. What it forgets it counts in the erasure's row, in the same transaction. Every method that fails
 * throws a `StoreError`.
 */
export interface Erasing {
  /** Notes that an erasure begins. */
  begin(erasure: { id: string; by: Subject['by']; hash: string }): Promise<void>;
  /** Adds to its counts. */
  count(id: string, counts: Readonly<Record<string, number>>): Promise<void>;
  /** Notes that it is done, and what else is to be told of it. */
  end(id: string, told: Readonly<Record<string, number | string>>): Promise<void>;
  /** Reads an erasure; undefined where there is none. */
  get(id: string): Promise<Erasure | undefined>;
  /** Counts what there is of a subject. */
  plan(subject: Subject): Promise<ErasurePlan>;
  /** Finds conversations of a subject that are not erased, at most `limit`; those that began `before` a time (unix ms), where one is given. */
  conversationsOf(subject: Subject, page: { limit: number; before?: number | undefined }): Promise<string[]>;
  /** Finds what tells the person of a subject. */
  personOf(subject: Subject): Promise<Person>;
  /** Tells which of these conversations are erased. */
  erasedAmong(ids: readonly string[]): Promise<Set<string>>;
  /** Lists the conversations behind an id that were erased at a time (unix ms) or later. */
  erasedSince(since: number, page: { after: string; limit: number }): Promise<string[]>;
  /**
   * Deletes the person's profiles, and takes the person's numbers out of others'; also in the tables that a rebuild makes or has kept. With `isLate` a profile
   * stays that has a call again.
   */
  forgetProfiles(id: string, person: Person, options?: { isLate?: boolean }): Promise<void>;
  /**
   * Looks through some calls of which no account is here, in the order of their ids, and clears the words of the provider's list in those that began before the
   * erasure was asked for. At the beginning it waits until those are through who write such words and may not have seen the erasure. Whoever comes later sees it,
   * so nobody is kept waiting while the words are cleared.
   *
   * @param after  The id that it goes on behind; '' begins.
   * @returns      The last id that it has looked at; undefined where there is none.
   */
  clearListed(id: string, after: string): Promise<string | undefined>;
  /** Leaves only the ids of events that belong to no conversation, dead or ignored. */
  forgetEvents(id: string, events: readonly string[]): Promise<void>;
  /** Deletes refused requests. */
  forgetRejected(id: string, requests: readonly string[]): Promise<void>;
  /** Makes the tables that a rebuild makes or has kept forget conversations that are erased. */
  forgetInKeptTables(id: string, conversations: readonly string[]): Promise<void>;
  /** Puts a hash in the place of what names the person in operations. */
  clearFilters(id: string, person: Person, hash: string): Promise<void>;
}

/** Calls that one transaction looks through. */
const CLEARED_AT_ONCE = 500;

const idsSchema = z.array(z.object({ id: z.string() }));
const profilesSchema = z.array(z.object({ user_id: z.string() }));
const personSchema = z.tuple([z.object({ users: z.array(z.string()), numbers: z.array(z.string()) })]);
const countSchema = z.tuple([z.object({ count: z.number() })]);
const clearedSchema = z.tuple([z.object({ cleared: z.number(), last: z.string().nullable() })]);
const planSchema = z.tuple([
  z.object({
    conversations: z.number(),
    erased_before: z.number(),
    messages: z.number(),
    tool_calls: z.number(),
    commands: z.number(),
    events: z.number(),
    recordings: z.number(),
    profiles: z.number(),
    users: z.number(),
  }),
]);
const erasureSchema = z.object({
  id: z.string(),
  kind: z.string(),
  subjectHash: z.string(),
  requestedAt: z.number(),
  doneAt: z.number().nullable(),
  counts: z.record(z.string(), z.union([z.number(), z.string()])),
});

const ids = (rows: unknown) => idsSchema.parse(rows).map(({ id }) => id);

/** Makes it in these transactions. */
export function erasingOn(transactions: Pick<Transactions, 'run'>): Erasing {
  const ask = <T>(question: (run: Run) => Promise<T>) => transactions.run(question);
  const tell = (statement: Statement) => ask(async (run) => void (await run(statement)));
  /** Forgets, and counts what it was. */
  const forget = (id: string, work: (run: Run) => Promise<Record<string, number>>) =>
    ask(async (run) => void (await run(addCountsStatement(id, await work(run)))));
  return {
    begin: (erasure) => tell(beginErasureStatement(erasure)),
    count: (id, counts) => tell(addCountsStatement(id, counts)),
    end: (id, told) => tell(endErasureStatement(id, told)),
    get: (id) => ask(async (run) => z.array(erasureSchema).parse(await run(getErasureStatement(id)))[0]),
    plan: (subject) => ask(async (run) => planSchema.parse(await run(erasurePlanStatement(subject)))[0]),
    conversationsOf: (subject, { limit, before }) =>
      ask(async (run) => ids(await run(findConversationsStatement(subject, limit, before)))),
    personOf: (subject) =>
      ask(async (run) => {
        const [found] = personSchema.parse(await run(findPersonStatement(subject)));
        return { conversations: subject.by === 'conversation' ? [subject.value] : [], ...found };
      }),
    erasedAmong: async (known) =>
      known.length === 0 ? new Set() : new Set(await ask(async (run) => ids(await run(erasedAmongStatement(known))))),
    erasedSince: (since, { after, limit }) =>
      ask(async (run) => ids(await run(erasedSinceStatement(since, after, limit)))),
    forgetProfiles: (id, person, { isLate = false } = {}) => forget(id, (run) => forgetProfiles(person, isLate, run)),
    clearListed: async (id, after) => {
      if (after === '') await tell(wordsLockStatement('alone'));
      return ask(async (run) => {
        const [{ cleared, last }] = clearedSchema.parse(await run(clearWordsStatement(id, after, CLEARED_AT_ONCE)));
        if (cleared > 0) await run(addCountsStatement(id, { listed: cleared }));
        return last ?? undefined;
      });
    },
    forgetEvents: async (id, events) => {
      if (events.length > 0) await forget(id, (run) => forgetEvents(events, run));
    },
    forgetRejected: async (id, requests) => {
      if (requests.length === 0) return;
      await forget(id, async (run) => ({ rejected_requests: (await run(deleteRejectedStatement(requests))).length }));
    },
    forgetInKeptTables: (id, conversations) =>
      forget(id, async (run) => ({ kept_rows: await countOf(forgetInKeptTablesStatement(conversations, []), run) })),
    clearFilters: (id, person, hash) =>
      forget(id, async (run) => ({ operations: await countOf(clearFiltersStatement(person, hash), run) })),
  };
}

async function countOf(statement: Statement, run: Run): Promise<number> {
  return countSchema.parse(await run(statement))[0].count;
}

async function forgetEvents(events: readonly string[], run: Run): Promise<Record<string, number>> {
  const { urls, bodies } = await forgetInLedger({ events }, { transcript: true, audio: true }, run);
  await run(markEventsStatement(events));
  if (urls.length > 0) await run(removeLaterStatement(urls));
  return { bodies };
}

async function forgetProfiles(person: Person, isLate: boolean, run: Run): Promise<Record<string, number>> {
  const gone = profilesSchema.parse(await run(deleteProfilesStatement(person, isLate)));
  const cleared = isLate ? [] : profilesSchema.parse(await run(clearNumbersStatement(person)));
  // Kept tables may have profiles that are gone from here.
  const users = new Set([...gone, ...cleared].map(({ user_id }) => user_id));
  for (const key of [...person.users, ...person.numbers]) users.add(key);
  return { profiles: gone.length, kept_rows: await countOf(forgetInKeptTablesStatement([], [...users]), run) };
}

/** What a command asks about erasures, on a connection of its own. */
export interface OpenErasures extends Pick<Erasing, 'plan' | 'get'> {
  close(): Promise<void>;
}

/** Opens the table of erasures for a command that only looks; it connects with the first question. */
export function openErasures(databaseUrl: string): OpenErasures {
  const transactions = openTransactions({ databaseUrl, poolSize: 1, isReadOnly: true });
  const erasing = erasingOn(transactions);
  return { plan: (subject) => erasing.plan(subject), get: (id) => erasing.get(id), close: () => transactions.close() };
}
