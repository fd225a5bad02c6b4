import { fromMs, plainArray, type Statement } from '../connection/statement.ts';

/** Deletes events of the ledger that were received before a time, at most so many; returns how many of each outcome. */
export function deleteEventsStatement(before: number, limit: number): Statement {
  return {
    sql: `
    WITH due AS (
      SELECT e.id FROM webhook_events AS e
      WHERE e.received_at < ${fromMs('$1::text::float8')}
      ORDER BY e.received_at, e.id LIMIT $2::text::int FOR UPDATE SKIP LOCKED
    ), gone AS (
      DELETE FROM webhook_events AS e USING due WHERE e.id = due.id
      RETURNING e.outcome
    )
    SELECT count(*)::float8 AS rows FROM gone`,
    parameters: [String(before), String(limit)],
  };
}

/** Deletes refused requests that were received before a time, at most so many. */
export function deleteRejectedStatement(before: number, limit: number): Statement {
  return {
    sql: `
    WITH due AS (
      SELECT r.id FROM rejected_requests AS r
      WHERE r.received_at < ${fromMs('$1::text::float8')}
      ORDER BY r.received_at, r.id LIMIT $2::text::int FOR UPDATE SKIP LOCKED
    ), gone AS (
      DELETE FROM rejected_requests AS r USING due WHERE r.id = due.id
      RETURNING 1
    )
    SELECT count(*)::float8 AS rows FROM gone`,
    parameters: [String(before), String(limit)],
  };
}

/**
 * Marks recordings of calls before a time as deleted, at most so many, and puts their files on the list of what the storage is to lose. The rows
 * stay, and so do their URLs: a late delivery of the same audio finds the mark.
 */
export function deleteRecordingsStatement(before: number, limit: number): Statement {
  return {
    sql: `
    WITH due AS (
      SELECT r.conversation_id, r.sha256, r.url FROM conversation_recordings AS r
      WHERE r.deleted_at IS NULL AND r.url IS NOT NULL AND r.created_at < ${fromMs('$1::text::float8')}
      ORDER BY r.created_at LIMIT $2::text::int FOR UPDATE SKIP LOCKED
    ), asked AS (
      INSERT INTO recordings_to_remove AS t (url) SELECT DISTINCT url FROM due ORDER BY url
      ON CONFLICT (url) DO UPDATE SET requests = t.requests + 1
    ), marked AS (
      UPDATE conversation_recordings AS r SET deleted_at = clock_timestamp()
      FROM due WHERE r.conversation_id = due.conversation_id AND r.sha256 = due.sha256
      RETURNING 1
    )
    SELECT count(*)::float8 AS rows FROM marked`,
    parameters: [String(before), String(limit)],
  };
}

/** Lists conversations whose account orders that the transcript be deleted by now, at most so many. */
export function dueTranscriptsStatement(now: number, limit: number): Statement {
  return {
    sql: `
    SELECT c.id, c.delete_audio_at <= ${fromMs('$1::text::float8')} AS "withAudio" FROM conversations AS c
    WHERE c.delete_transcript_at <= ${fromMs('$1::text::float8')} AND c.delete_transcript_at IS NOT NULL AND c.erased_at IS NULL
    ORDER BY c.delete_transcript_at LIMIT $2::text::int`,
    parameters: [String(now), String(limit)],
  };
}

/** Where a walk through conversations stands: the time that they are walked by, in unix milliseconds, and the last id of that time. */
export interface ConversationPosition {
  at: number;
  id: string;
}

const HAS_AUDIO = `EXISTS (
      SELECT FROM conversation_recordings AS r WHERE r.conversation_id = c.id AND r.url IS NOT NULL AND r.deleted_at IS NULL)`;

/**
 * Walks through the conversations whose account orders that the audio be deleted by now, and says which `is_due`: those that have audio still. A page
 * is bounded by what it reads, not by what is due in it.
 */
export function audioOrdersStatement(now: number, after: ConversationPosition, limit: number): Statement {
  return walk({ by: 'delete_audio_at', isOver: '<=', isDue: HAS_AUDIO }, [now, after, limit]);
}

/** Walks through the conversations that began before a time, and says which `is_due`: those that are not forgotten. */
export function oldConversationsStatement(before: number, after: ConversationPosition, limit: number): Statement {
  return walk({ by: 'started_at', isOver: '<', isDue: 'c.erased_at IS NULL' }, [before, after, limit]);
}

interface Walk {
  /** The column. */
  by: string;
  isOver: '<' | '<=';
  isDue: string;
}

function walk(
  { by, isOver, isDue }: Walk,
  [until, after, limit]: readonly [until: number, after: ConversationPosition, limit: number],
): Statement {
  return {
    sql: `
    SELECT c.id, (extract(epoch FROM c.${by}) * 1000)::float8 AS at, ${isDue} AS is_due FROM conversations AS c
    WHERE c.${by} IS NOT NULL AND c.${by} ${isOver} ${fromMs('$1::text::float8')}
      AND (c.${by}, c.id) > (${fromMs('$2::text::float8')}::timestamptz(3), $3::text)
    ORDER BY c.${by}, c.id LIMIT $4::text::int`,
    parameters: [String(until), String(after.at), after.id, String(limit)],
  };
}

/**
 * Lists conversations that were written lately and whose account orders that the audio be deleted by now, where they have audio still: at most so many.
 * The order may be for a time that was over long before.
 */
export function lateAudioOrdersStatement(now: number, since: number, limit: number): Statement {
  return {
    sql: `
    SELECT c.id FROM conversations AS c
    WHERE c.changed_at >= ${fromMs('$2::text::float8')} AND c.delete_audio_at <= ${fromMs('$1::text::float8')} AND ${HAS_AUDIO}
    LIMIT $3::text::int`,
    parameters: [String(now), String(since), String(limit)],
  };
}

/**
 * Asks which of these dead letters are to go: those of events whose bodies are too old, by the ledger's time of receipt; and those of events that are
 * dead no longer, because their conversation is forgotten. Where the ledger has no such event, the time counts at which the letter was laid, which is
 * later.
 */
export function staleLettersStatement(letters: readonly { id: string; laidAt: number }[], before: number): Statement {
  return {
    sql: `
    SELECT l.id::text FROM unnest($1::uuid[], $2::float8[]) AS l (id, laid_at) LEFT JOIN webhook_events AS e ON e.id = l.id
    WHERE e.outcome <> 'dead' OR COALESCE(e.received_at, ${fromMs('l.laid_at')}) < ${fromMs('$3::text::float8')}`,
    parameters: [
      plainArray(letters.map(({ id }) => id)),
      plainArray(letters.map(({ laidAt }) => laidAt)),
      String(before),
    ],
  };
}
