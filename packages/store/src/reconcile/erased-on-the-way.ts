import type { NormalisedEvent } from '@landline/webhook/changes';
import { z } from 'zod';
import { fromMs, plainArray, textArray, type Statement } from '../connection/statement.ts';
import type { Transactions } from '../connection/transactions.ts';
import type { IsOf } from './compare-person.ts';
import { asDead, fetchedOf, pairsToCompare, type FetchedAccount, type Pair } from './fetched-account.ts';
import { markErased } from './mark-erased.ts';
import type { ListedCall } from './reconcile.ts';

/** Events that one statement looks for. */
const EVENTS_AT_ONCE = 1_000;

const openSchema = z.array(z.object({ id: z.string(), isDead: z.boolean() }));
const erasuresSchema = z.array(
  z.object({
    id: z.string(),
    kind: z.string(),
    subjectHash: z.string(),
    requestedAt: z.number(),
    doneAt: z.number().nullable(),
  }),
);

/**
 * Makes what marks the calls of fetched accounts whose person was erased while these were on their way, before they are applied: they find the mark then, and
 * nothing of them is kept. Such an erasure could not find the call: it had no row, and its event was in the hand of whoever fetched it. An erasure that begins
 * later finds the event in Redis, and waits for whoever applies it.
 *
 * A group without a fetched account costs a look at each event's origin, and no statement. One with some costs a transaction of two statements: one for what
 * the ledger and the marks have, one for the erasures. The second is left out where all accounts are there already. Only where an erasure counts, there are
 * hashes: one for each person and erasure. No transaction waits for them.
 *
 * @param isOf  What compares, and keeps its answers.
 */
export function markErasedOnTheWay(transactions: Pick<Transactions, 'run'>, isOf: IsOf) {
  return async (events: readonly NormalisedEvent[]): Promise<void> => {
    const fetched = events.flatMap((event) => fetchedOf(event) ?? []);
    if (fetched.length === 0) return;
    const said = await erasedAmong(await pairsOf(fetched, transactions), isOf);
    // Dead letters that these calls have had are swept by retention: their events are dead no longer.
    if (said.length > 0) await markErased({ ids: said.map(({ id }) => id), said }, transactions);
  };
}

/** Lists what is to be compared. The ledger is asked first: what stands in it by then, later erasures find. */
function pairsOf(fetched: readonly FetchedAccount[], transactions: Pick<Transactions, 'run'>): Promise<Pair[]> {
  return transactions.run(async (run) => {
    const open: FetchedAccount[] = [];
    for (let at = 0; at < fetched.length; at += EVENTS_AT_ONCE) {
      const some = fetched.slice(at, at + EVENTS_AT_ONCE);
      // oxlint-disable-next-line no-await-in-loop -- one statement, but for groups that nobody makes
      const rows = openSchema.parse(await run(openStatement(some)));
      const isDead = new Map(rows.map((row) => [row.id, row.isDead]));
      for (const account of some) {
        const dead = isDead.get(account.eventId);
        if (dead !== undefined) open.push(dead ? asDead(account) : account);
      }
    }
    return open.length === 0 ? [] : pairsToCompare(open, erasuresSchema.parse(await run(erasuresStatement(open))));
  });
}

/** Returns the calls whose person was erased. Of a call that is known to be so, nothing more is compared. */
async function erasedAmong(pairs: readonly Pair[], isOf: IsOf): Promise<ListedCall[]> {
  const erased = new Map<string, ListedCall>();
  for (const { erasure, subject, calls } of pairs) {
    if (calls.every(({ id }) => erased.has(id))) continue;
    // oxlint-disable-next-line no-await-in-loop -- one hash takes 32 MiB, and mostly there is none
    if (await isOf(erasure, subject)) for (const call of calls) erased.set(call.id, call);
  }
  return [...erased.values()];
}

/**
 * Lists the events that the ledger has not, and those that died, of calls without the mark. What was applied or ignored was compared then, and any erasure since
 * has found it. One that died was not compared, and may have been on its way while its person was erased.
 */
function openStatement(accounts: readonly FetchedAccount[]): Statement {
  return {
    sql: `
    SELECT f.id::text, e.id IS NOT NULL AS "isDead"
    FROM unnest($1::text::uuid[], $2::text[]) AS f (id, call) LEFT JOIN webhook_events AS e ON e.id = f.id
    WHERE (e.id IS NULL OR e.outcome = 'dead')
      AND NOT EXISTS (SELECT FROM conversations AS c WHERE c.id = f.call AND c.erased_at IS NOT NULL)`,
    parameters: [plainArray(accounts.map(({ eventId }) => eventId)), textArray(accounts.map(({ call }) => call.id))],
  };
}

/** Lists the erasures of persons that may count for one of these. */
function erasuresStatement(accounts: readonly FetchedAccount[]): Statement {
  const [since, undoneAt, until] = [
    accounts.reduce((least, account) => Math.min(least, account.since), Number.POSITIVE_INFINITY),
    accounts.reduce((least, account) => Math.min(least, account.undoneAt), Number.POSITIVE_INFINITY),
    accounts.reduce((greatest, account) => Math.max(greatest, account.until), 0),
  ];
  return {
    sql: `
    SELECT e.id::text, e.kind, e.subject_hash AS "subjectHash", (extract(epoch FROM e.requested_at) * 1000)::float8 AS "requestedAt",
      (extract(epoch FROM e.done_at) * 1000)::float8 AS "doneAt"
    FROM erasures AS e
    WHERE e.kind IN ('user', 'number') AND e.requested_at BETWEEN ${fromMs('$1::text::float8')} AND ${fromMs('$2::text::float8')}
      AND (e.done_at IS NULL OR e.done_at >= ${fromMs('$3::text::float8')})`,
    parameters: [String(since), String(until), String(undoneAt)],
  };
}
