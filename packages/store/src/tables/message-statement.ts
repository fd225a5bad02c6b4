import type { MessageChange } from '@landline/webhook/changes';
import { fromMs, json, plainArray, textArray, type Parameter, type Statement } from '../connection/statement.ts';

/** What is sent for each column, in the order of the statement's parameters. A field of `MessageChange` without one does not compile. */
const PARAMETERS: Readonly<Record<keyof MessageChange, (messages: readonly MessageChange[]) => Parameter>> = {
  conversation_id: (messages) => textArray(messages.map((m) => m.conversation_id)),
  source: (messages) => plainArray(messages.map((m) => m.source)),
  event_key: (messages) => textArray(messages.map((m) => m.event_key)),
  position: (messages) => plainArray(messages.map((m) => m.position)),
  role: (messages) => plainArray(messages.map((m) => m.role)),
  content: (messages) => textArray(messages.map((m) => m.content)),
  language: (messages) => textArray(messages.map((m) => m.language)),
  time_in_call_seconds: (messages) => plainArray(messages.map((m) => m.time_in_call_seconds)),
  interrupted: (messages) => plainArray(messages.map((m) => m.interrupted)),
  details: (messages) => textArray(messages.map((m) => json(m.details))),
  created_at: (messages) => plainArray(messages.map((m) => m.created_at)),
  clock: (messages) => plainArray(messages.map((m) => m.clock)),
};

const KEY: readonly string[] = ['conversation_id', 'source', 'event_key'] satisfies (keyof MessageChange)[];

/**
 * Inserts messages, one statement for all. A message that is there already under its key is replaced only by a later
 * account of it.
 *
 * @param messages  At most one for a key, sorted by key.
 */
export function messageStatement(messages: readonly MessageChange[]): Statement {
  return { sql: INSERT, parameters: Object.values(PARAMETERS).map((parameter) => parameter(messages)) };
}

const COLUMNS = Object.keys(PARAMETERS);

const INSERT = `
    INSERT INTO conversation_messages AS t (${COLUMNS.join(', ')})
    SELECT e.conversation_id, e.source, e.event_key, e.position, e.role, e.content, e.language, e.time_in_call_seconds,
      e.interrupted, e.details::jsonb, ${fromMs('e.created_at')}, e.clock
    FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::text[], $6::text[], $7::text[], $8::float8[],
      $9::boolean[], $10::text[], $11::float8[], $12::uuid[]) AS e (${COLUMNS.join(', ')})
    ON CONFLICT (${KEY.join(', ')}) DO UPDATE SET
      ${COLUMNS.filter((column) => !KEY.includes(column))
        .map((column) => `${column} = EXCLUDED.${column}`)
        .join(',\n      ')}
    WHERE t.clock < EXCLUDED.clock`;
