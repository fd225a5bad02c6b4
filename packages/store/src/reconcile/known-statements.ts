import { fromMs, plainArray, textArray, type Statement } from '../connection/statement.ts';
import { toMs } from '../find/found-event.ts';
import type { Completeness, KnownCall } from './reconcile.ts';

/** How much of a reason is kept, in characters. */
const MOST_REASON_CHARACTERS = 200;

/** The types of the events that bring the account of a finished call. A post_call_transcription_otel has no turns. */
export const ACCOUNTS = `('post_call_transcription', 'call_initiation_failure')`;

/** Whether the ledger has an account of `conversations c` of which this is so. Postgres might read a whole table for an EXISTS; it looks an aggregate up each time. */
function hasAccount(condition: string): string {
  return `COALESCE((SELECT bool_or(${condition}) FROM webhook_events AS e WHERE e.conversation_id = c.id AND e.type IN ${ACCOUNTS}), false)`;
}

/** Whether the account is here: also where its event has left the ledger, and only the clock of its turns tells of it. */
const HAS_ACCOUNT = `(c.transcript_clock IS NOT NULL OR ${hasAccount(`e.outcome = 'applied'`)})`;

/**
 * Whether an account came that has no turns, as `KnownCall.mayLackTurns` tells. What the provider gave itself has all that it gives, and a call that never
 * began has none.
 */
const MAY_LACK_TURNS = `(c.transcript_clock IS NULL AND c.completeness IS DISTINCT FROM 'complete' AND c.erased_at IS NULL
        AND COALESCE(c.delete_transcript_at > clock_timestamp(), true) AND ${hasAccount(`e.outcome = 'applied'`)}
        AND NOT ${hasAccount(`e.outcome = 'applied' AND (e.origin = 'backfill' OR e.type = 'call_initiation_failure')`)})`;

/**
 * The columns of a `KnownCall`, of `conversations c`. Each look-up takes an index: the ledger's of conversations, or the key of the recordings. The transcript
 * that counts has left its clock in the row.
 */
const KNOWN = `c.id, c.completeness,
      c.completeness IS NOT DISTINCT FROM 'complete' OR ${HAS_ACCOUNT} AS "hasAccount",
      ${MAY_LACK_TURNS} AS "mayLackTurns",
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
 * Lists conversations that were found not to be through, by their ids. An account that comes changes its row: so of the unfetchable, whose number only grows, the
 * ledger is asked about those alone that have changed since.
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
        UNION ALL ${part('unfetchable', `c.changed_at >= ${fromMs('$1::text::float8')} AND ${HAS_ACCOUNT}`)}
      ) AS u ORDER BY u.id LIMIT $3::text::int
    )
    ORDER BY c.id`,
    parameters: [String(since), after, String(limit)],
  };
}

/**
 * Lists conversations that were never compared, by their beginning, which is what their index is by. So a page reads its own rows alone: before the first
 * comparison they are all there are. Of those that began at the same time the id decides.
 *
 * @param after  The last one of the page before, or where to begin, with no id.
 */
export function neverComparedStatement(after: Pick<KnownCall, 'startedAt' | 'id'>, limit: number): Statement {
  return {
    sql: `
    SELECT ${KNOWN} FROM (
      SELECT c.* FROM conversations AS c
      WHERE c.completeness IS NULL AND c.erased_at IS NULL AND (c.started_at, c.id) > (${fromMs('$1::text::float8')}::timestamptz(3), $2::text)
      ORDER BY c.started_at, c.id LIMIT $3::text::int
    ) AS c
    ORDER BY c.started_at, c.id`,
    parameters: [String(after.startedAt), after.id, String(limit)],
  };
}

/** Lists conversations that are unfetchable, by their ids, each with its reason. */
export function unfetchableStatement(after: string, limit: number): Statement {
  return {
    sql: `
    SELECT c.id, c.completeness_reason AS reason FROM conversations AS c
    WHERE c.completeness = 'unfetchable' AND c.erased_at IS NULL AND c.id > $1::text ORDER BY c.id LIMIT $2::text::int`,
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
 * Writes how complete conversations are, and why, where that has changed. The rows are locked as a transcript locks them, and in the same order: see docs/locks.md.
 * Whoever was forgotten in the meantime is left as it is. One that stays unfetchable keeps its reason where no other is given.
 */
export function judgeStatement(
  verdicts: ReadonlyMap<string, Completeness>,
  reasons: ReadonlyMap<string, string> = new Map(),
): Statement {
  const written = [...verdicts].map(([id, completeness]) => reasonOf(completeness, reasons.get(id)));
  return {
    sql: `
    WITH held AS (
      SELECT c.id, v.completeness, v.reason FROM unnest($1::text[], $2::text[], $3::text[]) AS v (id, completeness, reason)
      JOIN conversations AS c ON c.id = v.id
      WHERE c.erased_at IS NULL AND (c.completeness IS DISTINCT FROM v.completeness
        OR (c.completeness_reason IS DISTINCT FROM v.reason AND (v.reason IS NOT NULL OR v.completeness <> 'unfetchable')))
      ORDER BY c.id COLLATE "C" FOR UPDATE OF c
    )
    UPDATE conversations AS t SET completeness = held.completeness, completeness_reason = held.reason, changed_at = DEFAULT
    FROM held WHERE t.id = held.id`,
    parameters: [textArray([...verdicts.keys()]), plainArray([...verdicts.values()]), textArray(written)],
  };
}

/** No text of Postgres holds U+0000, or half of a surrogate pair. */
function reasonOf(completeness: Completeness, reason: string | undefined): string | null {
  if (reason === undefined || (completeness !== 'missing' && completeness !== 'unfetchable')) return null;
  return reason.toWellFormed().replaceAll('\0', '\ufffd').slice(0, MOST_REASON_CHARACTERS).toWellFormed();
}
