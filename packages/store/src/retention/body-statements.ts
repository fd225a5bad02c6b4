import { fromMs, type Statement } from '../connection/statement.ts';
import type { EventPosition } from '../find/filter-conditions.ts';

/** Lists the partitions of bodies, the oldest first: the day (UTC) as `yyyy-mm-dd`, and the size on the disk. */
export const LIST_BODY_DAYS: Statement = {
  sql: `
    SELECT to_date(right(c.relname, 8), 'YYYYMMDD')::text AS day, pg_total_relation_size(c.oid)::float8 AS bytes
    FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'webhook_bodies'::regclass AND c.relname ~ '^webhook_bodies_[0-9]{8}$'
    ORDER BY day`,
  parameters: [],
};

/** Drops the partition of a day, `yyyy-mm-dd`. Postgres refuses it (55P03) while others use the table. */
export function dropBodiesStatement(day: string): Statement {
  return { sql: 'SELECT landline_drop_body_partition($1::text::date) AS dropped', parameters: [day] };
}

/** Asks whether the ledger holds bodies of an older version still: the table is there until they are moved. */
export const IS_MOVE_THERE: Statement = {
  sql: `SELECT to_regclass('webhook_bodies_move') IS NOT NULL AS moves`,
  parameters: [],
};

/**
 * Takes the bodies out of the ledger that an older version kept there and nobody has moved yet, of at most so many events behind a position. It
 * returns how many it took out, and the last event that it read; none where no event is left.
 */
export function clearLedgerBodiesStatement(before: number, after: EventPosition, limit: number): Statement {
  return {
    sql: `
    WITH page AS (
      SELECT e.id, e.received_at FROM webhook_events AS e
      WHERE e.received_at < ${fromMs('$1::text::float8')} AND (e.received_at, e.id) > (${fromMs('$2::text::float8')}::timestamptz(3), $3::text::uuid)
      ORDER BY e.received_at, e.id LIMIT $4::text::int
    ), cleared AS (
      UPDATE webhook_events AS e SET body = NULL, body_bytes = octet_length(e.body)
      FROM page AS p WHERE e.id = p.id AND e.body IS NOT NULL
      RETURNING 1
    )
    SELECT p.id::text, (extract(epoch FROM p.received_at) * 1000)::float8 AS "receivedAt", (SELECT count(*) FROM cleared)::float8 AS cleared
    FROM page AS p ORDER BY p.received_at DESC, p.id DESC LIMIT 1`,
    parameters: [String(before), String(after.receivedAt), after.id, String(limit)],
  };
}

/**
 * Asks for the removal of whole bodies that lie in the storage, of at most so many events. In the same statement the ledger forgets where they
 * were, so each is asked for once. The order makes Postgres take the index of such events.
 */
export function removeStoredBodiesStatement(before: number, limit: number): Statement {
  return {
    sql: `
    WITH due AS (
      SELECT e.id, e.body_reference ->> 'bodyUrl' AS url FROM webhook_events AS e
      WHERE (e.body_reference ->> 'bodyUrl') IS NOT NULL AND e.received_at < ${fromMs('$1::text::float8')}
      ORDER BY e.body_reference ->> 'bodyUrl' LIMIT $2::text::int FOR UPDATE SKIP LOCKED
    ), asked AS (
      INSERT INTO recordings_to_remove AS t (url) SELECT DISTINCT url FROM due ORDER BY url
      ON CONFLICT (url) DO UPDATE SET requests = t.requests + 1
    ), cleared AS (
      UPDATE webhook_events AS e SET body_reference = e.body_reference - 'bodyUrl' FROM due WHERE e.id = due.id
      RETURNING 1
    )
    SELECT count(*)::float8 AS rows FROM cleared`,
    parameters: [String(before), String(limit)],
  };
}
