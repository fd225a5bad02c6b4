/**
 * Joins to the ledger's rows `e`, as `b`, the body of each event that still has one. The key of a body names its partition; LIMIT makes Postgres look
 * each body up by that key, however few rows it believes the partitions to have.
 */
export const JOIN_BODIES = `LEFT JOIN LATERAL (
        SELECT body FROM webhook_bodies WHERE received_at = e.received_at AND event_id = e.id LIMIT 1
      ) AS b ON true`;

/** The ledger as `e`, with the bodies: see `JOIN_BODIES`. */
export const LEDGER_WITH_BODIES = `webhook_events AS e
      ${JOIN_BODIES}`;

/**
 * The body of an event, as an expression over `LEDGER_WITH_BODIES`; null where it is gone. A ledger of an older version holds bodies itself until they
 * are moved. Its column is read through jsonb, for a statement may not name a column that is not there any more.
 */
export const BODY = `COALESCE(b.body, (to_jsonb(e) ->> 'body')::bytea)`;

/** How many bytes of an event's body lie here, over `e`. Until a body is moved, its row says 0: then the size of the row is near enough. */
export const BODY_BYTES = `CASE WHEN e.body_bytes > 0 THEN e.body_bytes ELSE pg_column_size(e.*) END`;

/** How many bytes an event's body has here, over `LEDGER_WITH_BODIES`; null where it is gone. Reads no body, but those that are not moved yet. */
export const STORED_BYTES = `COALESCE(octet_length(b.body), CASE WHEN e.body_bytes = 0 THEN octet_length(${BODY}) END)`;
