/** How many operations are looked at, the latest. */
const MOST_OPERATIONS = 1_000;

/** The newest reason for `conversations c` to be unfetchable. The checkpoints of what compares and fetches have them: see packages/operations. */
export const UNFETCHABLE_REASON = `CASE WHEN c.completeness = 'unfetchable' THEN (
        SELECT o.checkpoint -> 'unfetchable' ->> c.id
        FROM (SELECT * FROM operations ORDER BY created_at DESC, id DESC LIMIT ${MOST_OPERATIONS}) AS o
        WHERE o.kind IN ('reconcile', 'fetch-conversation') AND o.checkpoint -> 'unfetchable' ->> c.id IS NOT NULL
        ORDER BY o.created_at DESC, o.id DESC LIMIT 1) END`;
