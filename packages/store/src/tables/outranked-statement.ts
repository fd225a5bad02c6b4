import type { Clock } from '@landline/webhook/clock';
import { clockArray, textArray, type Statement } from '../connection/statement.ts';

/**
 * Deletes what a transcript outranks: of the conversations named, the live rows and those of an earlier transcript.
 *
 * @param table        conversation_messages or agent_tool_calls.
 * @param transcripts  The clock of the transcript that counts, by conversation. The conversations' rows must be locked FOR UPDATE by an
 *                     earlier statement: this one sees what those wrote that had them before.
 */
export function outrankedStatement(
  table: 'conversation_messages' | 'agent_tool_calls',
  transcripts: ReadonlyMap<string, Clock>,
): Statement {
  return {
    sql: `
    DELETE FROM ${table} AS t
    USING unnest($1::text[], $2::uuid[]) AS c (id, transcript_clock)
    WHERE t.conversation_id = c.id AND (t.source = 'live' OR t.clock <> c.transcript_clock)`,
    parameters: [textArray([...transcripts.keys()]), clockArray([...transcripts.values()])],
  };
}
