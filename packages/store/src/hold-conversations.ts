import type { Clock } from '@landline/webhook/clock';
import type { Run } from './connection/transactions.ts';
import { behindStatement, readStates, type ConversationStates } from './tables/behind-statement.ts';
import { lockStatement, readLocked, type ConversationLock } from './tables/lock-statement.ts';
import { insertStatement } from './tables/merge-statement.ts';
import type { MergedRow } from './tables/merged-row.ts';
import { CONVERSATIONS } from './tables/merged-tables.ts';

/** What a transaction knows of its conversations once it holds their rows. */
export interface HeldConversations {
  /** The clock of the transcript that counts, with those of this transaction merged in, of those that have one. */
  transcripts: Map<string, Clock>;
  /** The rows that are still to be merged; all others say nothing that the tables do not have. */
  updates: MergedRow[];
  /** The ids of those that are erased: their events change nothing, and `updates` has none of them. */
  erased: Set<string>;
}

/**
 * Holds the row of each conversation until the transaction ends: inserts those that are missing, then locks the others, in the order
 * of their ids. Live events share a row; a transcript has it alone. docs/locks.md says why no two transactions wait in a ring.
 *
 * @param others  Ids of conversations whose rows are held where they are there, though nothing is merged into them.
 */
export async function holdConversations(
  conversations: readonly MergedRow[],
  run: Run,
  others: readonly string[] = [],
): Promise<HeldConversations> {
  const transcripts = new Map(
    conversations.flatMap((row) => (row.greatestClock === null ? [] : [[idOf(row), row.greatestClock]])),
  );
  const erased = new Set<string>();
  if (conversations.length === 0 && others.length === 0) return { transcripts, updates: [], erased };
  const states = conversations.length === 0 ? NO_STATES : readStates(await run(behindStatement(conversations)));
  const inserted = new Set<string>();
  let missing = conversations.filter((row) => states.missing.has(idOf(row)));
  let unheld = conversations;
  let alone = others.filter((id) => !conversations.some((row) => idOf(row) === id));
  // It goes round again only where a row is deleted by hand between two statements.
  do {
    // oxlint-disable no-await-in-loop -- one statement after the other
    if (missing.length > 0)
      for (const { id } of await run(insertStatement(CONVERSATIONS, missing))) inserted.add(String(id));
    unheld = unheld.filter((row) => !inserted.has(idOf(row)));
    if (unheld.length === 0 && alone.length === 0) break;
    const locks = locksOf(unheld, alone);
    alone = [];
    const locked = readLocked(await run(lockStatement(locks)));
    // oxlint-enable no-await-in-loop
    for (const id of locked.erased) erased.add(id);
    for (const [id, clock] of locked.transcripts) if (clock > (transcripts.get(id) ?? '')) transcripts.set(id, clock);
    missing = unheld = unheld.filter((row) => locked.missing.has(idOf(row)));
  } while (missing.length > 0);
  const updates = conversations.filter(
    (row) =>
      !inserted.has(idOf(row)) &&
      !erased.has(idOf(row)) &&
      (row.latest !== null || states.behind.has(idOf(row)) || states.missing.has(idOf(row))),
  );
  return { transcripts, updates, erased };
}

const NO_STATES: ConversationStates = { missing: new Set(), behind: new Set() };

/** Locks for rows, which are sorted, and for the others, in the order of all ids. */
function locksOf(rows: readonly MergedRow[], others: readonly string[]): ConversationLock[] {
  const locks = rows.map((row) => ({ id: idOf(row), isTranscribed: row.greatestClock !== null }));
  if (others.length === 0) return locks;
  const all = [...locks, ...others.map((id) => ({ id, isTranscribed: false }))];
  return all.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

function idOf({ key }: MergedRow): string {
  return key[0] ?? '';
}
