import type { Transactions } from '../connection/transactions.ts';
import { forgetConversations } from '../forget/forget-conversations.ts';
import { bySortedId, writeListed } from './list-statement.ts';
import type { ListedCall } from './reconcile.ts';

/** Conversations that one transaction forgets: see `forgetConversations`. */
const FORGOTTEN_AT_ONCE = 100;

/** Which conversations get their mark. */
export interface CallsToMark {
  ids: readonly string[];
  /** What is known of some of them. */
  said?: readonly ListedCall[] | undefined;
}

/**
 * Forgets conversations. Of one that had no row, what an erasure leaves of a row stands in it: what `said` has, without the words of it.
 *
 * @returns  The ledger ids of the events that were dead: their dead letters are to go.
 */
export async function markErased(
  { ids, said = [] }: CallsToMark,
  transactions: Pick<Transactions, 'run'>,
): Promise<string[]> {
  const wordless = said.map((call): ListedCall => ({ ...call, title: null, summary: null, endReason: null }));
  if (wordless.length > 0) await transactions.run((run) => writeListed(bySortedId(wordless), run));
  const letters: string[] = [];
  for (let at = 0; at < ids.length; at += FORGOTTEN_AT_ONCE) {
    const some = ids.slice(at, at + FORGOTTEN_AT_ONCE);
    // oxlint-disable-next-line no-await-in-loop -- each transaction is bounded
    const forgotten = await transactions.run((run) =>
      forgetConversations(some, { transcript: true, audio: true }, run),
    );
    letters.push(...forgotten.letters);
  }
  return letters;
}
