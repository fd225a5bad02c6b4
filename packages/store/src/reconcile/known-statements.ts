import { fromMs, plainArray, textArray, type Statement } from '../connection/statement.ts';
import { toMs } from '../find/found-event.ts';
import { RECONCILE } from '../retention/run-statements.ts';
import type { Completeness } from './reconcile.ts';

/** The kind of the operations that fetch one conversation again, as `operations.kind` has it. */
const FETCH_CONVERSATION = 'fetch-conversation';

/** The types of the events that bring the account of a finished call. A post_call_transcription_otel has no turns. */
const ACCOUNTS = `('post_call_transcription', 'call_initiation_failure')`;

/** Whether the ledger has an account of `conversations c` of which this is so. Postgres might read a whole table for an EXISTS; it looks an aggregate up each time. */
function hasAccount(condition: string): string {
  return `COALESCE((SELECT bool_or(${condition}) FROM webhook_events AS e WHERE e.conversation_id = c.id AND e.type IN ${ACCOUNTS}), false)`;
}

/** Whether the account is here: also where its event has left the ledger, and only the clock of its turns tells of it. */
const HAS_ACCOUNT = `(c.transcript_clock IS NOT NULL OR ${hasAccount(`e.outcome = 'applied'`)})`;

/**
 * The columns of a `KnownCall`, of `conversations c`. Each look-up takes an index: the ledger's of conversations, or the key of the recordings. The transcript
 * that counts has left its clock in the row.
 */
const KNOWN = `c.id, c.completeness,
      c.completeness IS NOT DISTINCT FROM 'complete' OR ${HAS_ACCOUNT} AS "hasAccount",
      ${hasAccount(`e.outcome = 'dead'`)} AS "hasDeadAccount",
      COALESCE((
        SELECT bool_or(r.url IS NOT NULL OR r.deleted_at IS NOT NULL) FROM conversation_recordings AS r WHERE r.conversation_id = c.id
      ), false) AS "hasRecording",
      c.metadata -> 'has_audio' AS "saysAudio",
      COALESCE(c.delete_audio_at <= clock_timestamp(), false) AS "isAudioToGo",
      c.erased_at IS NOT NULL AS "isErased", c.call_successful IS NOT NULL AS "wasListed",
      ${toMs('c.started_at')} AS "startedAt", ${toMs('c.ended_at')} AS "endedAt"`;

/** Reads what the tables have of these conversations. */
export function knownStatement(ids: readonly string[]): Statement {
  return { sql: `SELECT ${KNOWN} FROM conversations AS c WHERE c.id = ANY ($1::text[])`, parameters: [textArray(ids)] };
}

/** What is behind an id, the first of them by their ids: each part reads no more than its own `limit` rows of the index by completeness. */
function part(completeness: Completeness, condition = 'true'): string {
  return `(SELECT c.id FROM conversations AS c
        WHERE c.completeness = '${completeness}' AND c.erased_at IS NULL AND c.id > $2::text AND ${condition} ORDER BY c.id LIMIT $3::text::int)`;
}

/**
 * Lists conversations that are not through, by their ids. Those that were never compared are found by their beginning, so a page reads all of them that
 * began since: they are many before the first comparison alone.
 */
export function unfinishedStatement(since: number, after: string, limit: number): Statement {
  return {
    sql: `
    SELECT ${KNOWN} FROM conversations AS c
    WHERE c.id IN (
      SELECT u.id FROM (
        ${part('open')}
        UNION ALL ${part('waiting')}
        UNION ALL ${part('missing')}
        UNION ALL ${part('unfetchable', HAS_ACCOUNT)}
        UNION ALL (SELECT c.id FROM conversations AS c
        WHERE c.completeness IS NULL AND c.started_at >= ${fromMs('$1::text::float8')} AND c.erased_at IS NULL AND c.id > $2::text
        ORDER BY c.id LIMIT $3::text::int)
      ) AS u ORDER BY u.id LIMIT $3::text::int
    )
    ORDER BY c.id`,
    parameters: [String(since), after, String(limit)],
  };
}

/**
 * Lists conversations that are unfetchable, by their ids. The reasons are in the checkpoints of the operations that found them so; each of these is read
 * once for a page.
 */
export function unfetchableStatement(after: string, limit: number): Statement {
  return {
    sql: `
    WITH page AS (
      SELECT c.id FROM conversations AS c
      WHERE c.completeness = 'unfetchable' AND c.erased_at IS NULL AND c.id > $1::text ORDER BY c.id LIMIT $2::text::int
    ), reasons AS (
      SELECT DISTINCT ON (r.id) r.id, r.reason
      FROM operations AS o CROSS JOIN LATERAL jsonb_each_text(
        CASE jsonb_typeof(o.checkpoint -> 'unfetchable') WHEN 'object' THEN o.checkpoint -> 'unfetchable' ELSE '{}' END
      ) AS r (id, reason)
      WHERE o.kind IN ('${RECONCILE}', '${FETCH_CONVERSATION}') AND r.id IN (SELECT page.id FROM page)
      ORDER BY r.id, o.created_at DESC, o.id DESC
    )
    SELECT page.id, reasons.reason FROM page LEFT JOIN reasons ON reasons.id = page.id ORDER BY page.id`,
    parameters: [after, String(limit)],
  };
}

/** Counts the conversations of each kind that is not through. One that an older version has forgotten does not count. */
export const COUNT_UNFINISHED: Statement = {
  sql: `
    SELECT c.completeness, count(*)::float8 AS count FROM conversations AS c
    WHERE c.completeness <> 'complete' AND c.completeness <> 'erased' AND c.erased_at IS NULL
    GROUP BY c.completeness`,
  parameters: [],
};

/**
 * Writes how complete conversations are, where that has changed. The rows are locked as a transcript locks them, and in the same order: see docs/locks.md. Whoever
 * was forgotten in the meantime is left as it is.
 */
export function judgeStatement(verdicts: readonly (readonly [id: string, Completeness])[]): Statement {
  return {
    sql: `
    WITH held AS (
      SELECT c.id, v.completeness FROM unnest($1::text[], $2::text[]) AS v (id, completeness)
      JOIN conversations AS c ON c.id = v.id
      WHERE c.erased_at IS NULL AND c.completeness IS DISTINCT FROM v.completeness
      ORDER BY c.id COLLATE "C" FOR UPDATE OF c
    )
    UPDATE conversations AS t SET completeness = held.completeness, changed_at = DEFAULT
    FROM held WHERE t.id = held.id`,
    parameters: [textArray(verdicts.map(([id]) => id)), plainArray(verdicts.map(([, completeness]) => completeness))],
  };
}
