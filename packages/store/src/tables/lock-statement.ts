import type { Clock } from '@landline/webhook/clock';
import { plainArray, textArray, type Statement } from '../connection/statement.ts';

/** A conversation's row to lock. */
export interface ConversationLock {
  id: string;
  /** Whether the transaction brings a transcript with turns, so that nobody else may write messages meanwhile. */
  isTranscribed: boolean;
}

/** What the locked rows say. */
export interface LockedConversations {
  /** The clock of the transcript that counts, of those that have one. */
  transcripts: Map<string, Clock>;
  /** The ids that no row has. */
  missing: Set<string>;
  /** The ids of those that are erased: their events change nothing. */
  erased: Set<string>;
}

/**
 * Locks conversations' rows, one after the other in the order of `locks`: FOR UPDATE for a transcript, else FOR KEY SHARE. Writers of live
 * events share a row, also with one that updates it; a transcript waits for all of them, and they for it. The nested loop takes the rows
 * in the order of `unnest`: a subquery with a lock is never flattened into another join.
 *
 * @param locks  At most one for an id, sorted by id.
 */
export function lockStatement(locks: readonly ConversationLock[]): Statement {
  return {
    sql: `
    SELECT k.id, (x.id IS NULL AND s.id IS NULL) AS missing, COALESCE(x.erased_at, s.erased_at) IS NOT NULL AS erased,
      replace(COALESCE(x.transcript_clock, s.transcript_clock)::text, '-', '') AS clock
    FROM unnest($1::text[], $2::boolean[]) AS k (id, is_transcribed)
    LEFT JOIN LATERAL (
      SELECT c.id, c.transcript_clock, c.erased_at FROM conversations c WHERE c.id = k.id AND k.is_transcribed FOR UPDATE
    ) AS x ON true
    LEFT JOIN LATERAL (
      SELECT c.id, c.transcript_clock, c.erased_at FROM conversations c WHERE c.id = k.id AND NOT k.is_transcribed FOR KEY SHARE
    ) AS s ON true
    WHERE (x.id IS NULL AND s.id IS NULL) OR COALESCE(x.transcript_clock, s.transcript_clock) IS NOT NULL
      OR COALESCE(x.erased_at, s.erased_at) IS NOT NULL`,
    parameters: [textArray(locks.map(({ id }) => id)), plainArray(locks.map(({ isTranscribed }) => isTranscribed))],
  };
}

/** Reads what `lockStatement` returned. */
export function readLocked(rows: readonly Record<string, unknown>[]): LockedConversations {
  const transcripts = new Map<string, Clock>();
  const missing = new Set<string>();
  const erased = new Set<string>();
  for (const { id, missing: isMissing, erased: isErased, clock } of rows) {
    if (isMissing === true) missing.add(String(id));
    else if (isErased === true) erased.add(String(id));
    else transcripts.set(String(id), String(clock));
  }
  return { transcripts, missing, erased };
}
