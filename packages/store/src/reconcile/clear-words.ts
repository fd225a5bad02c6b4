import type { Statement } from '../connection/statement.ts';
import { clockIn, WORDS } from './list-statement.ts';

const isListed = (row: string, word: string) => `${row}.${word} IS NOT NULL AND ${clockIn(row, word)} IS NULL`;

/** Calls of which no account is here. */
const UNFINISHED = ['open', 'waiting', 'missing', 'unfetchable'];

/** Each kind is read in the order of its index, so that no row is read for two batches that the first one is through with. */
const CHOSEN = UNFINISHED.map(
  (completeness) => `(SELECT c.id FROM conversations AS c
          WHERE c.completeness = '${completeness}' AND c.completeness <> 'complete' AND c.completeness <> 'erased' AND c.erased_at IS NULL AND c.id > $2::text
          ORDER BY c.id LIMIT $3::text::int)`,
).join(' UNION ALL ');

/**
 * Looks through some calls of which no account is here, and clears what the provider's list alone says in words of those that began before an erasure was asked
 * for: whose they are nobody knows. The rows are locked as a transcript locks them, and in the same order. One row: how many were `cleared`, and the id `last` of
 * those that were looked at, null where there is none behind `after`.
 *
 * @param erasure  The id of its row, which is committed.
 */
export function clearWordsStatement(erasure: string, after: string, limit: number): Statement {
  return {
    sql: `
    WITH chosen AS (
      SELECT u.id FROM (
        ${CHOSEN}
      ) AS u ORDER BY u.id LIMIT $3::text::int
    ), held AS (
      SELECT c.id FROM chosen JOIN conversations AS c ON c.id = chosen.id, erasures AS e
      WHERE e.id = $1::text::uuid AND c.completeness IN (${UNFINISHED.map((word) => `'${word}'`).join(', ')}) AND c.erased_at IS NULL
        AND (c.started_at <= e.requested_at OR c.started_at > clock_timestamp())
        AND (${WORDS.map((word) => `(${isListed('c', word)})`).join(' OR ')})
      ORDER BY c.id COLLATE "C" FOR UPDATE OF c
    ), cleared AS (
      UPDATE conversations AS t SET ${WORDS.map((word) => `${word} = CASE WHEN ${clockIn('t', word)} IS NOT NULL THEN t.${word} END`).join(', ')},
        changed_at = DEFAULT
      FROM held WHERE t.id = held.id
      RETURNING t.id
    )
    SELECT (SELECT count(*)::int FROM cleared) AS cleared, (SELECT max(id) FROM chosen) AS last`,
    parameters: [erasure, after, String(limit)],
  };
}
