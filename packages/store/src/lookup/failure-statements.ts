import { fromMs, textArray, type Statement } from '../connection/statement.ts';
import { codeOf, fingerprintOf, patternOf } from '../find/failure-fingerprint.ts';
import { toMs } from '../find/found-event.ts';
import type { DeadPosition } from '../ledger/dead-statement.ts';
import { HOUR_MS } from './failure-groups.ts';

/** The characters of an example's message. */
const MOST_MESSAGE = 1_000;

/** When a dead event died, in unix milliseconds. An older version wrote no time: then it is that of the receipt. */
const DIED_AT = `COALESCE((e.error ->> 'at')::float8, ${toMs('e.received_at')})`;

/** Which slice of the dead events is grouped, and how. */
export interface GroupedSlice {
  /** Only events behind this one; undefined: from the newest one on. */
  after: DeadPosition | undefined;
  limit: number;
  /** Unix ms: what was received before is in no hour. */
  since: number;
  /** The fingerprints of groups that have a pattern. */
  named: readonly string[];
  /** How many other groups may get one. */
  mostNamed: number;
}

/**
 * Groups a slice of the dead events behind a position, the newest first. One row for each fingerprint, type and hour of receipt; the last event of a row
 * is its example. Each row says how many events were `looked` at, and which was the last.
 *
 * A pattern is computed once for a group, in its first row; it is null in all others, and in groups beyond `mostNamed`.
 */
export function groupsStatement({ after, limit, since, named, mostNamed }: GroupedSlice): Statement {
  const behind = `AND (e.received_at, e.id) < (${fromMs('$5::text::float8')}::timestamptz(3), $6::text::uuid)`;
  return {
    sql: `
    WITH slice AS MATERIALIZED (
      SELECT e.id, e.type, e.received_at, e.error FROM webhook_events AS e
      WHERE e.outcome = 'dead' ${after === undefined ? '' : behind}
      ORDER BY e.received_at DESC, e.id DESC LIMIT $1::text::int
    ), read AS MATERIALIZED (
      SELECT e.id, e.type, ${fingerprintOf('e.error')} AS fingerprint, ${toMs('e.received_at')} AS received, ${DIED_AT} AS died FROM slice AS e
    ), grouped AS MATERIALIZED (
      SELECT fingerprint, type, CASE WHEN received >= $2::text::float8 THEN floor(received / ${HOUR_MS}) * ${HOUR_MS} END AS hour,
        count(*)::float8 AS count, min(received) AS first, max(received) AS last, max(died) AS died,
        (array_agg(id ORDER BY received DESC, id DESC))[1] AS example
      FROM read GROUP BY 1, 2, 3
    ), chosen AS (
      SELECT * FROM (
        SELECT DISTINCT ON (fingerprint) fingerprint, example, last FROM grouped
        WHERE fingerprint NOT IN (SELECT unnest($3::text[])) ORDER BY fingerprint, last DESC, example DESC
      ) AS unnamed ORDER BY last DESC, fingerprint LIMIT $4::text::int
    ), patterns AS MATERIALIZED (
      SELECT c.example, ${codeOf('e.error')} AS code, ${patternOf('e.error')} AS pattern,
        left(COALESCE(e.error ->> 'message', ''), ${MOST_MESSAGE}) AS message
      FROM chosen AS c JOIN slice AS e ON e.id = c.example
    ), bounds AS (
      SELECT id, received, count(*) OVER ()::float8 AS looked FROM read ORDER BY received, id LIMIT 1
    )
    SELECT g.fingerprint, p.code, p.pattern, p.message, g.type, g.hour, g.count, g.first, g.last, g.died, g.example::text,
      b.looked, b.received AS "endAt", b.id::text AS "endId"
    FROM bounds AS b CROSS JOIN grouped AS g LEFT JOIN patterns AS p ON p.example = g.example
    ORDER BY p.pattern IS NULL`,
    parameters: [
      String(limit),
      String(since),
      textArray(named),
      String(mostNamed),
      ...(after === undefined ? [] : [String(after.receivedAt), after.id]),
    ],
  };
}

/** Stands in `known_by` where a mark was taken back: so a request to mark that is older, and comes later, changes nothing. No login has it. */
const NOBODY = '';

/** Reads the marks: a few rows, for people make them. */
export const MARKS: Statement = {
  sql: `SELECT fingerprint, ${toMs('known_at')} AS at, known_by AS by FROM known_failures WHERE known_by <> '${NOBODY}'`,
  parameters: [],
};

/** Marks a group as known since `at`, in unix ms, where nobody has marked it or taken a mark back since then. A time to come is taken for now. */
export function markStatement(group: string, by: string, at: number): Statement {
  return {
    sql: `
    INSERT INTO known_failures AS k (fingerprint, known_by, known_at)
    VALUES ($1::text, $2::text, LEAST(${fromMs('$3::text::float8')}, clock_timestamp()))
    ON CONFLICT (fingerprint) DO UPDATE SET known_at = EXCLUDED.known_at, known_by = EXCLUDED.known_by
    WHERE k.known_at <= EXCLUDED.known_at`,
    parameters: [group, by, String(at)],
  };
}

/** Takes a mark back, as `markStatement` sets one. The row stays, and says when. */
export function unmarkStatement(group: string, at: number): Statement {
  return markStatement(group, NOBODY, at);
}
