import { textArray, type Statement } from '../connection/statement.ts';

/**
 * Deletes what a transcript outranks: of the conversations named, the live rows and those of an earlier transcript.
 *
 * @param table          conversation_messages or agent_tool_calls.
 * @param conversations  Ids; their rows must be locked.
 */
export function outrankedStatement(
  table: 'conversation_messages' | 'agent_tool_calls',
  conversations: string[],
): Statement {
  return {
    sql: `
    DELETE FROM ${table} AS t
    USING conversations c
    WHERE c.id = ANY ($1::text[])
      AND t.conversation_id = c.id
      AND (t.source = 'live' OR t.clock <> c.transcript_clock)`,
    parameters: [textArray(conversations)],
  };
}
