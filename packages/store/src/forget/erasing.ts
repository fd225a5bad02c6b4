import { z } from 'zod';
import { openTransactions, type Run, type Transactions } from '../connection/transactions.ts';
import { forgetInLedger } from './forget-ledger.ts';
import { forgetInKeptTablesStatement } from './forget-statements.ts';
import {
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
  planStatement,
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

/** What an erasure asks and does beside `forgetConversations`. Every method that fails throws a `StoreError`. */
export interface Erasing {
  /** Finds conversations of a subject that are not erased, at most `limit`; those that began `before` a time (unix ms), where one is given. */
  conversationsOf(subject: Subject, page: { limit: number; before?: number | undefined }): Promise<string[]>;
  /** Finds what tells the person of a subject. */
  personOf(subject: Subject): Promise<Person>;
  /** Deletes the person's profiles, and takes the person's numbers out of others'; also in the tables that a rebuild makes or has kept. */
  forgetProfiles(person: Person): Promise<{ profiles: number; kept_rows: number }>;
  /** Leaves only the ids of events that belong to no conversation, dead or ignored. */
  forgetEvents(ids: readonly string[]): Promise<void>;
  /** Deletes refused requests; returns how many there were. */
  forgetRejected(ids: readonly string[]): Promise<number>;
  /** Makes the tables that a rebuild makes or has kept forget conversations that are erased; returns how many of their rows. */
  forgetInKeptTables(ids: readonly string[]): Promise<number>;
  /** Puts a hash in the place of what names the person in operations; returns in how many. */
  clearFilters(person: Person, hash: string): Promise<number>;
  /** Tells which of these conversations are erased. */
  erasedAmong(ids: readonly string[]): Promise<Set<string>>;
  /** Lists the conversations behind an id that were erased at a time (unix ms) or later. */
  erasedSince(since: number, page: { after: string; limit: number }): Promise<string[]>;
  /** Notes that an erasure begins. */
  begin(erasure: { id: string; by: Subject['by']; hash: string }): Promise<void>;
  /** Notes that an erasure is done. */
  end(id: string, counts: Readonly<Record<string, number | string>>): Promise<void>;
  /** Reads an erasure; undefined where there is none. */
  get(id: string): Promise<Erasure | undefined>;
  /** Counts what there is of a subject. */
  plan(subject: Subject): Promise<ErasurePlan>;
}

const idsSchema = z.array(z.object({ id: z.string() }));
const profilesSchema = z.array(z.object({ user_id: z.string() }));
const personSchema = z.tuple([z.object({ users: z.array(z.string()), numbers: z.array(z.string()) })]);
const countSchema = z.tuple([z.object({ count: z.number() })]);
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
  return {
    conversationsOf: (subject, { limit, before }) =>
      ask(async (run) => ids(await run(findConversationsStatement(subject, limit, before)))),
    personOf: (subject) =>
      ask(async (run) => {
        const [found] = personSchema.parse(await run(findPersonStatement(subject)));
        return { conversations: subject.by === 'conversation' ? [subject.value] : [], ...found };
      }),
    forgetProfiles: (person) => ask((run) => forgetProfiles(person, run)),
    forgetEvents: (events) =>
      ask(async (run) => {
        if (events.length === 0) return;
        const { urls } = await forgetInLedger({ events }, { transcript: true, audio: true }, run);
        if (urls.length > 0) await run(removeLaterStatement(urls));
      }),
    forgetRejected: (requests) =>
      ask(async (run) => (requests.length === 0 ? 0 : (await run(deleteRejectedStatement(requests))).length)),
    forgetInKeptTables: (conversations) =>
      ask(async (run) => countSchema.parse(await run(forgetInKeptTablesStatement(conversations, [])))[0].count),
    clearFilters: (person, hash) =>
      ask(async (run) => countSchema.parse(await run(clearFiltersStatement(person, hash)))[0].count),
    erasedAmong: (conversations) =>
      conversations.length === 0
        ? Promise.resolve(new Set())
        : ask(async (run) => new Set(ids(await run(erasedAmongStatement(conversations))))),
    erasedSince: (since, { after, limit }) =>
      ask(async (run) => ids(await run(erasedSinceStatement(since, after, limit)))),
    begin: (erasure) => ask(async (run) => void (await run(beginErasureStatement(erasure)))),
    end: (id, counts) => ask(async (run) => void (await run(endErasureStatement(id, counts)))),
    get: (id) => ask(async (run) => z.array(erasureSchema).parse(await run(getErasureStatement(id)))[0]),
    plan: (subject) => ask(async (run) => planSchema.parse(await run(planStatement(subject)))[0]),
  };
}

async function forgetProfiles(person: Person, run: Run): Promise<{ profiles: number; kept_rows: number }> {
  const gone = profilesSchema.parse(await run(deleteProfilesStatement(person)));
  const cleared = profilesSchema.parse(await run(clearNumbersStatement(person)));
  // Kept tables may have profiles that are gone from here.
  const users = new Set([...gone, ...cleared].map(({ user_id }) => user_id));
  for (const key of [...person.users, ...person.numbers]) users.add(key);
  const [{ count }] = countSchema.parse(await run(forgetInKeptTablesStatement([], [...users])));
  return { profiles: gone.length, kept_rows: count };
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
