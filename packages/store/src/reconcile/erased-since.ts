import { createHmac, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { fromMs, type Statement } from '../connection/statement.ts';
import type { Transactions } from '../connection/transactions.ts';
import { isHashOf } from '../forget/subject-hash.ts';
import { subjectSchema, type Subject } from '../forget/subject.ts';

/** Erasures that are compared at most, the newest: each comparison takes some tenths of a second, once for a person. */
const MOST_ERASURES = 1_000;

/** Answers that are kept. */
const MOST_KEPT = 10_000;

const rowsSchema = z.array(z.object({ id: z.string(), kind: z.string(), subjectHash: z.string() }));

function erasuresStatement(since: number, limit: number): Statement {
  return {
    sql: `
    SELECT e.id::text, e.kind, e.subject_hash AS "subjectHash" FROM erasures AS e
    WHERE e.kind IN ('user', 'number') AND e.requested_at >= ${fromMs('$1::text::float8')}
    ORDER BY e.requested_at DESC LIMIT $2::text::int`,
    parameters: [String(since), String(limit)],
  };
}

/** Who is asked for. */
export interface Erasable {
  userId: string | null;
  number: string | null;
}

/**
 * Makes what tells whether a person was erased since a time. No transaction waits for the hashes. Each answer is kept in this process, under a hash with a key
 * that is nowhere else, so that no list of persons grows in its memory.
 *
 * @param options.mostErasures  How many are compared; where there are more, and none of these is the person's, nobody can say. By default 1,000.
 */
export function erasedSinceOn(
  { run }: Pick<Transactions, 'run'>,
  { mostErasures = MOST_ERASURES } = {},
): (person: Erasable, since: number) => Promise<boolean | undefined> {
  const answers = new Map<string, boolean>();
  const key = randomBytes(32);

  async function isOf(erasure: z.infer<typeof rowsSchema>[number], subject: Subject): Promise<boolean> {
    const question = createHmac('sha256', key).update(`${erasure.id} ${subject.by} ${subject.value}`).digest('base64');
    const known = answers.get(question);
    if (known !== undefined) return known;
    const answer = await isHashOf(erasure.subjectHash, subject);
    if (answers.size >= MOST_KEPT) answers.clear();
    answers.set(question, answer);
    return answer;
  }

  return async (person, since) => {
    const subjects = subjectsOf(person);
    if (subjects.length === 0) return false;
    const erasures = await run(async (ask) => rowsSchema.parse(await ask(erasuresStatement(since, mostErasures + 1))));
    for (const erasure of erasures.slice(0, mostErasures)) {
      for (const subject of subjects) {
        // oxlint-disable-next-line no-await-in-loop -- one hash takes 32 MiB, and the answer is mostly the first one or none
        if (subject.by === erasure.kind && (await isOf(erasure, subject))) return true;
      }
    }
    return erasures.length > mostErasures ? undefined : false;
  };
}

/** Names the person as an erasure would. What no erasure could name was never erased by it. */
function subjectsOf({ userId, number }: Erasable): Subject[] {
  const given = [
    { by: 'user', value: userId },
    { by: 'number', value: number },
  ];
  return given.flatMap((one) => {
    const subject = subjectSchema.safeParse(one);
    return subject.success ? [subject.data] : [];
  });
}
