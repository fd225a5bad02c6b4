import type { MessageChange } from '@landline/webhook/changes';
import { fromMs, json, plainArray, textArray, type Statement } from './statement.ts';

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
      textArray(messages.map((m) => m.conversation_id)),
      plainArray(messages.map((m) => m.source)),
      textArray(messages.map((m) => m.event_key)),
      plainArray(messages.map((m) => m.position)),
      plainArray(messages.map((m) => m.role)),
      textArray(messages.map((m) => m.content)),
      textArray(messages.map((m) => m.language)),
      plainArray(messages.map((m) => m.time_in_call_seconds)),
      plainArray(messages.map((m) => m.interrupted)),
      textArray(messages.map((m) => json(m.details))),
      plainArray(messages.map((m) => m.created_at)),
      plainArray(messages.map((m) => m.clock)),
    ],
  };
}

const COLUMNS = `conversation_id, source, event_key, position, role, content, language, time_in_call_seconds,
      interrupted, details, created_at, clock`;

const INSERT = `
    INSERT INTO conversation_messages AS t (${COLUMNS})
    SELECT e.conversation_id, e.source, e.event_key, e.position, e.role, e.content, e.language, e.time_in_call_seconds,
      e.interrupted, e.details::jsonb, ${fromMs('e.created_at')}, e.clock
    FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::text[], $6::text[], $7::text[], $8::float8[],
      $9::boolean[], $10::text[], $11::float8[], $12::uuid[]) AS e (${COLUMNS})
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
