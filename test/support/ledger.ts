/** The ledger with the body of each event beside it, in the place of a table: `SELECT … FROM ${LEDGER} WHERE …`. The body is null where it is gone. */
export const LEDGER = `(SELECT e.*, b.body FROM webhook_events AS e
  LEFT JOIN webhook_bodies AS b ON b.received_at = e.received_at AND b.event_id = e.id) AS ledger`;

/** A statement that puts events into the ledger by hand. `rows` selects `id, received_at, outcome, error, body`. */
export function insertEvents(rows: string): string {
  return `WITH given AS (${rows}), recorded AS (
      INSERT INTO webhook_events (id, event_at, received_at, origin, outcome, error, body_bytes)
      SELECT id, received_at, received_at, 'webhook', outcome, error, octet_length(body) FROM given RETURNING id, received_at
    )
    INSERT INTO webhook_bodies (received_at, event_id, body)
    SELECT recorded.received_at, recorded.id, given.body FROM recorded JOIN given USING (id)`;
}
