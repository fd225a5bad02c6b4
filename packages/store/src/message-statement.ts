import type { MessageChange } from '@landline/webhook';
import { NOT_OUTRANKED } from './merge-statement.ts';
import { json, timestamp, type Statement } from './statement.ts';

/**
 * Inserts messages, one statement for all. A message that is there already under its key is replaced only by a later
 * telling of it.
 *
 * @param messages  At most one for a key, sorted by key.
 */
export function messageStatement(messages: readonly MessageChange[]): Statement {
  return {
    sql: INSERT,
    parameters: [
      messages.map((m) => m.conversation_id),
      messages.map((m) => m.source),
      messages.map((m) => m.event_key),
      messages.map((m) => (m.position === null ? null : String(m.position))),
      messages.map((m) => m.role),
      messages.map((m) => m.content),
      messages.map((m) => m.language),
      messages.map((m) => (m.time_in_call_seconds === null ? null : String(m.time_in_call_seconds))),
      messages.map((m) => (m.interrupted === null ? null : String(m.interrupted))),
      messages.map((m) => json(m.details)),
      messages.map((m) => timestamp(m.created_at)),
      messages.map((m) => m.clock),
    ],
  };
}

const COLUMNS = `conversation_id, source, event_key, position, role, content, language, time_in_call_seconds,
      interrupted, details, created_at, clock`;

const INSERT = `
    INSERT INTO conversation_messages AS t (${COLUMNS})
    SELECT e.conversation_id, e.source, e.event_key, e.position, e.role, e.content, e.language, e.time_in_call_seconds,
      e.interrupted, e.details::jsonb, e.created_at, e.clock::uuid
    FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::text[], $6::text[], $7::text[], $8::float8[],
      $9::boolean[], $10::text[], $11::timestamptz[], $12::text[]) AS e (${COLUMNS})
    ${NOT_OUTRANKED}
    ON CONFLICT (conversation_id, source, event_key) DO UPDATE SET
      position = EXCLUDED.position,
      role = EXCLUDED.role,
      content = EXCLUDED.content,
      language = EXCLUDED.language,
      time_in_call_seconds = EXCLUDED.time_in_call_seconds,
      interrupted = EXCLUDED.interrupted,
      details = EXCLUDED.details,
      created_at = EXCLUDED.created_at,
      clock = EXCLUDED.clock
    WHERE t.clock < EXCLUDED.clock`;
