import type { Clock } from '@landline/webhook/clock';
import { textArray, type Statement } from '../connection/statement.ts';

/**
 * Asks which of these conversations have a transcript, and under which clock. Their rows must be locked, so that the
 * answer holds until the transaction ends: it is asked once for a conversation, not by a join for each message.
 */
export function transcriptStatement(conversations: readonly string[]): Statement {
  return {
    sql: `
    SELECT id, replace(transcript_clock::text, '-', '') AS clock
    FROM conversations
    WHERE id = ANY ($1::text[]) AND transcript_clock IS NOT NULL`,
    parameters: [textArray(conversations)],
  };
}

/** What `transcriptStatement` returned: the clock of the transcript that counts, by conversation. */
export function readTranscripts(rows: readonly Record<string, unknown>[]): Map<string, Clock> {
  return new Map(rows.map((row) => [String(row['id']), String(row['clock'])]));
}
