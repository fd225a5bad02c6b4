import { z } from 'zod';
import { fromMs, type Statement } from '../connection/statement.ts';
import type { Transactions } from '../connection/transactions.ts';
import { comparing, subjectsOf, type Erasable } from './compare-person.ts';

/** Erasures that are compared at most, the newest: each comparison takes some tenths of a second, once for a person. */
const MOST_ERASURES = 1_000;

const rowsSchema = z.array(z.object({ id: z.string(), kind: z.string(), subjectHash: z.string() }));

/** Lists erasures of persons that were asked for since a time, the newest first. */
function erasuresStatement(since: number, limit: number): Statement {
  return {
    sql: `
    SELECT e.id::text, e.kind, e.subject_hash AS "subjectHash" FROM erasures AS e
    WHERE e.kind IN ('user', 'number') AND e.requested_at >= ${fromMs('$1::text::float8')}
    ORDER BY e.requested_at DESC LIMIT $2::text::int`,
    parameters: [String(since), String(limit)],
  };
}

/** Tells whether a person was erased at a time (unix ms) or later; undefined where more were than can be compared. */
export type WasErasedSince = (person: Erasable, since: number) => Promise<boolean | undefined>;

/**
 * Makes what tells whether a person was erased since a time. No transaction waits for the hashes.
 *
 * @param options.mostErasures  How many are compared; where there are more, and none of these is the person's, nobody can say. By default 1,000.
 */
export function erasedSinceOn(
  { run }: Pick<Transactions, 'run'>,
  { mostErasures = MOST_ERASURES, isOf = comparing() } = {},
): WasErasedSince {
  return async (person, since) => {
    const subjects = subjectsOf(person);
    if (subjects.length === 0) return false;
    const statement = erasuresStatement(since, mostErasures + 1);
    const erasures = await run(async (ask) => rowsSchema.parse(await ask(statement)));
    for (const erasure of erasures.slice(0, mostErasures)) {
      for (const subject of subjects) {
        // oxlint-disable-next-line no-await-in-loop -- one hash takes 32 MiB, and the answer is mostly the first one or none
        if (subject.by === erasure.kind && (await isOf(erasure, subject))) return true;
      }
    }
    return erasures.length > mostErasures ? undefined : false;
  };
}
