import type { RecordingChange } from '@landline/webhook/changes';
import { fromMs, milliseconds, plainArray, textArray, type Statement } from '../connection/statement.ts';
import { LEDGER_WITH_BODIES, STORED_BYTES } from '../ledger/bodies.ts';
import { clockIn, LISTED_COLUMNS } from '../reconcile/list-statement.ts';
import { CONVERSATIONS } from '../tables/merged-tables.ts';

/** Holds a conversation's row alone until the transaction ends; says whether it is erased, and what `lowerStatement` is asked with. */
export function holdRowStatement(id: string): Statement {
  return {
    sql: `
    SELECT c.erased_at IS NOT NULL AS is_erased, c.created_at::text AS created_at, c.clocks::text AS clocks
    FROM conversations AS c WHERE c.id = $1::text FOR UPDATE`,
    parameters: [id],
  };
}

/** What of an event's body can be folded, in bytes. None of the envelope of an event that was dead first, and applied when a later delivery came. */
const FOLDABLE_BYTES = `CASE WHEN e.body_reference -> 'fault' IS NULL THEN ${STORED_BYTES} END`;

/** Lists a conversation's applied events in the order of their receipt, at most so many; `storedBytes` is null where a body is gone. */
export function appliedEventsStatement(id: string, limit: number): Statement {
  return {
    sql: `
    SELECT e.id::text, ${FOLDABLE_BYTES}::float8 AS "storedBytes" FROM ${LEDGER_WITH_BODIES}
    WHERE e.conversation_id = $1::text AND e.outcome = 'applied'
    ORDER BY e.received_at, e.id LIMIT $2::text::int`,
    parameters: [id, String(limit)],
  };
}

/** Counts a conversation's applied events, and those whose body is gone, and the bytes of the others; says whether it is erased. */
export function planStatement(id: string): Statement {
  return {
    sql: `
    SELECT count(*)::float8 AS events, (count(*) FILTER (WHERE ${FOLDABLE_BYTES} IS NULL))::float8 AS "withoutBody",
      COALESCE(sum(${FOLDABLE_BYTES}), 0)::float8 AS bytes,
      EXISTS (SELECT FROM conversations AS c WHERE c.id = $1::text AND c.erased_at IS NOT NULL) AS "isErased"
    FROM ${LEDGER_WITH_BODIES}
    WHERE e.conversation_id = $1::text AND e.outcome = 'applied'`,
    parameters: [id],
  };
}

/**
 * Makes a conversation's row one that nothing has been merged into: what is merged next stands in every column. The row itself stays, because whoever waits
 * for its lock must find it there.
 */
export function clearRowStatement(id: string): Statement {
  const { registers, maps = [], earliest, latest, greatestClock, changedAt } = CONVERSATIONS;
  const columns = [
    // Two registers take no null. Each event writes both. What the provider's list alone says stays, for no event can say it again.
    ...registers.map(
      ([name]) => `${name} = ${NOT_NULL[name] ?? (LISTED_COLUMNS.includes(name) ? listed(name) : 'NULL')}`,
    ),
    `clocks = array_fill(NULL::uuid, ARRAY[${registers.length}])`,
    ...maps.flatMap((map) => [`${map} = '{}'`, `${map}_clocks = '{}'`]),
    // No time is later.
    ...[earliest, latest].flatMap((name) => (name === undefined ? [] : [`${name} = 'infinity'`])),
    `${greatestClock} = NULL`,
    `${changedAt} = DEFAULT`,
  ];
  return { sql: `UPDATE conversations SET ${columns.join(', ')} WHERE id = $1::text`, parameters: [id] };
}

/** A list that no comparison has read says nothing: then the value is somebody's by hand. */
function listed(name: string): string {
  return `CASE WHEN completeness IS NOT NULL AND ${clockIn('conversations', name)} IS NULL THEN ${name} END`;
}

const NOT_NULL: Readonly<Record<string, string>> = { status: `''`, started_at: `'infinity'` };

/** Deletes a conversation's recordings of which the storage knows nothing: the events tell all of them. */
export function deleteUnkeptStatement(id: string): Statement {
  return {
    sql: `DELETE FROM conversation_recordings WHERE conversation_id = $1::text AND url IS NULL AND deleted_at IS NULL`,
    parameters: [id],
  };
}

/** Lists a conversation's recordings, by the hash of their audio. */
export function recordingsStatement(id: string): Statement {
  return {
    sql: `SELECT sha256 FROM conversation_recordings WHERE conversation_id = $1::text`,
    parameters: [id],
  };
}

/** Writes what events tell of recordings that were kept; where each lies, since when, and whether it was deleted, stays as it is. */
export function retellStatement(recordings: readonly RecordingChange[]): Statement {
  return {
    sql: `
    UPDATE conversation_recordings AS r
    SET event_id = e.event_id, content_type = e.content_type, bytes = e.bytes, created_at = ${fromMs('e.created_at')}
    FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::int8[], $6::float8[])
      AS e (conversation_id, sha256, event_id, content_type, bytes, created_at)
    WHERE r.conversation_id = e.conversation_id AND r.sha256 = e.sha256
      AND (r.event_id, r.content_type, r.bytes, r.created_at)
        IS DISTINCT FROM (e.event_id, e.content_type, e.bytes, ${fromMs('e.created_at')}::timestamptz(3))`,
    parameters: [
      textArray(recordings.map((r) => r.conversation_id)),
      textArray(recordings.map((r) => r.sha256)),
      plainArray(recordings.map((r) => r.event_id)),
      textArray(recordings.map((r) => r.content_type)),
      plainArray(recordings.map((r) => r.bytes)),
      plainArray(recordings.map((r) => milliseconds(r.created_at))),
    ],
  };
}

/**
 * Tells whether a conversation's row says less now of what every event implies than it did before: see `behindStatement`, whose answer lasts only while no
 * row does so.
 *
 * @param before  What `holdRowStatement` said.
 */
export function lowerStatement(id: string, before: { created_at: string; clocks: string }): Statement {
  const places = Object.keys(CONVERSATIONS.implied ?? {}).map(
    (name) => CONVERSATIONS.registers.findIndex(([register]) => register === name) + 1,
  );
  const lower = places.map(
    (place) => `COALESCE(c.clocks[${place}] < o.clocks[${place}], o.clocks[${place}] IS NOT NULL)`,
  );
  return {
    sql: `
    SELECT c.created_at > o.created_at OR ${lower.join(' OR ')} AS is_lower
    FROM conversations AS c, (SELECT $2::text::timestamptz AS created_at, $3::text::uuid[] AS clocks) AS o
    WHERE c.id = $1::text`,
    parameters: [id, before.created_at, before.clocks],
  };
}
