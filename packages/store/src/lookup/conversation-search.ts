import { z } from 'zod';
import type { Run, Transactions } from '../connection/transactions.ts';
import { StoreError } from '../errors.ts';
import type { ConversationFilter } from './conversation-filter.ts';
import { readFoundConversations, type FoundConversation, type StartedPosition } from './found-conversation.ts';
import { conversationsStatement, rowsOfSlice, searchStatement, type StartedPage } from './list-statements.ts';

/** Where a search begins, and what ends it. */
export interface ConversationSearchOptions {
  /** Only conversations behind this one. */
  after?: StartedPosition | undefined;
  /** Begins no slice when this is aborted. */
  signal?: AbortSignal | undefined;
}

/** One slice of a search. */
export interface ConversationSearchStep {
  /** The conversations of this slice that match, the newest first. */
  found: FoundConversation[];
  /** How many conversations were looked at. */
  looked: number;
  /** Everything up to here was looked at. */
  position: StartedPosition;
}

/** Candidates of a slice: the first answer comes soon, and later slices cost fewer statements. */
const FIRST_SLICE = 64;
const SLICE = 512;

/** A slice with very long conversations takes too long for one statement; then it is cut into parts, down to this. */
const LEAST_SLICE = 8;

/** Postgres' query_canceled: the statement ran out of time. */
const OUT_OF_TIME = '57014';

const endOfSlice = { rows: z.number(), endId: z.string(), endAt: z.number() };

/** One row where a slice has no candidate, else one for each. */
const sliceSchema = z.union([
  z.tuple([z.object({ id: z.null(), ...endOfSlice })]),
  z.array(z.object({ id: z.string(), startedAt: z.number(), n: z.number(), matches: z.boolean(), ...endOfSlice })),
]);

/** Searches slice after slice: see `ConversationLookup`. */
export async function* searchConversations(
  transactions: Pick<Transactions, 'run'>,
  filter: ConversationFilter,
  { after: first, signal }: ConversationSearchOptions,
): AsyncGenerator<ConversationSearchStep, boolean> {
  let after = first;
  let limit = FIRST_SLICE;
  let most = SLICE;
  for (;;) {
    if (signal?.aborted) return false;
    const page = { after, limit };
    // oxlint-disable-next-line no-await-in-loop -- each slice begins where the one before ended
    const looked = await inTime(
      transactions.run((run) => look(run, filter, page)),
      limit,
    );
    if (looked === undefined) {
      // What ran out of time once is not tried again: it would cost that time each time.
      most = Math.max(LEAST_SLICE, Math.floor(limit / 8));
      limit = most;
      continue;
    }
    const { step, isLast } = looked;
    if (step !== undefined) yield step;
    if (isLast) return true;
    after = step?.position;
    limit = Math.min(most, limit * 8);
  }
}

/** Answers undefined where a statement ran out of time and a smaller slice may not. */
async function inTime<T>(work: Promise<T>, limit: number): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof StoreError && error.code === OUT_OF_TIME && limit > LEAST_SLICE) return undefined;
    throw error;
  }
}

interface Looked {
  /** Undefined where no conversation was left. */
  step: ConversationSearchStep | undefined;
  isLast: boolean;
}

async function look(run: Run, filter: ConversationFilter, page: StartedPage): Promise<Looked> {
  const rows = sliceSchema.parse(await run(searchStatement(filter, page)));
  const [end] = rows;
  if (end === undefined) return { step: undefined, isLast: true };
  const candidates = rows.flatMap((row) => (row.id === null ? [] : [row]));
  const ids = candidates.flatMap(({ id, matches }) => (matches ? [id] : []));
  const found = ids.length === 0 ? [] : readFoundConversations(await run(conversationsStatement(ids)));
  // With as many candidates as there may be, nobody has looked behind the last of them.
  const last = candidates[page.limit - 1];
  const { n: looked, startedAt, id } = last ?? { n: end.rows, startedAt: end.endAt, id: end.endId };
  const isLast = looked === end.rows && end.rows < rowsOfSlice(filter, page);
  return { step: { found, looked, position: { startedAt, id } }, isLast };
}
