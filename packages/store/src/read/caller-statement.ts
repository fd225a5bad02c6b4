import { quoteName } from '../connection/database-url.ts';
import type { MergedTable } from '../tables/merged-table.ts';
import { CONVERSATIONS, USER_PROFILES } from '../tables/merged-tables.ts';

/** How many conversations of a caller count. */
export const MOST_CALLS = 1_000;

/** How many rows are read of one number or user: the call that is ringing may be among them. */
const READ_ROWS = MOST_CALLS + 1;

/** The latest conversations with a summary that are read: the call that is ringing may be among them. */
const SUMMARIES = 4;

/** The latest conversations of which it is read what was said of the caller. */
const RECENT = 10;

/** The longest text that is read, in characters. */
const TEXT_LENGTH = 2_000;

/** A jsonb value of more bytes than this, as Postgres keeps it, says nothing: to read it would hold up the other callers. */
const MOST_BYTES = 65_536;

/** The columns of a profile. */
const PERSON = `user_id, last_seen_at, language, dialect, dialects, ${small('personality')}, ${small('attributes')}, ${small('attributes_clocks')},
    clocks[${placeOf(USER_PROFILES, 'language')}] AS language_clock, clocks[${placeOf(USER_PROFILES, 'personality')}] AS personality_clock`;

const CALL = 'id, call_sid, started_at, summary IS NOT NULL AS has_summary';

/**
 * The statement that reads all that is known of a caller, `$1` being the number as `phoneNumber` gives it. It answers one row with one
 * text, `found`: JSON for `readFoundCaller`. It takes every row from an index, and reads a bounded number of them.
 *
 * @param schema  The schema of the tables; undefined: as the search path says. A pooler keeps no session state, so the statement names it.
 */
export function callerStatement(schema: string | undefined): string {
  const inSchema = (table: string) => (schema === undefined ? table : `${quoteName(schema)}.${table}`);
  const profiles = inSchema(USER_PROFILES.name);
  const conversations = inSchema(CONVERSATIONS.name);
  return `
    WITH people AS MATERIALIZED (
      -- The number's own profile, and that of the user who was last seen with it.
      (SELECT ${PERSON} FROM ${profiles} WHERE user_id = $1)
      UNION ALL
      (SELECT * FROM (SELECT ${PERSON} FROM ${profiles} WHERE phone_number = $1 AND user_id <> $1 LIMIT ${READ_ROWS}) AS users
        ORDER BY last_seen_at DESC, user_id LIMIT 1)
    ),
    calls AS MATERIALIZED (
      (SELECT ${CALL} FROM ${conversations} WHERE external_number = $1 ORDER BY started_at DESC LIMIT ${READ_ROWS})
      UNION
      (SELECT theirs.* FROM people CROSS JOIN LATERAL
        (SELECT ${CALL} FROM ${conversations} WHERE user_id = people.user_id ORDER BY started_at DESC LIMIT ${READ_ROWS}) AS theirs)
    )
    SELECT json_build_object(
      'profiles', (SELECT coalesce(json_agg(people ORDER BY last_seen_at DESC, user_id), '[]') FROM people),
      'calls', (
        SELECT coalesce(json_agg(json_build_array(id, call_sid, extract(epoch FROM started_at)) ORDER BY started_at DESC, id), '[]')
        FROM calls),
      'summaries', (
        SELECT coalesce(json_agg(json_build_array(id, call_sid, left(summary, ${TEXT_LENGTH})) ORDER BY started_at DESC, id), '[]')
        FROM ${conversations}
        WHERE id = ANY (ARRAY(SELECT id FROM calls WHERE has_summary ORDER BY started_at DESC, id LIMIT ${SUMMARIES}))),
      'recent', (
        SELECT coalesce(json_agg(json_build_object(
          'id', id, 'call_sid', call_sid, 'language', language, 'dialect', dialect, 'dialects', dialects,
          'language_clock', clocks[${placeOf(CONVERSATIONS, 'language')}],
          'facts', (
            SELECT coalesce(json_agg(json_build_array(fact.key, fact.value, metadata_clocks ->> fact.key)), '[]')
            FROM jsonb_each(CASE jsonb_typeof(metadata) WHEN 'object' THEN metadata END) AS fact
            WHERE (fact.key = 'personality' OR starts_with(fact.key, 'user_profile')) AND pg_column_size(fact.value) <= ${MOST_BYTES})
        ) ORDER BY started_at DESC, id), '[]')
        FROM ${conversations}
        WHERE id = ANY (ARRAY(SELECT id FROM calls ORDER BY started_at DESC, id LIMIT ${RECENT})))
    )::text AS found`;
}

/** A jsonb column where it is small enough to be read. */
function small(column: string): string {
  return `CASE WHEN pg_column_size(${column}) <= ${MOST_BYTES} THEN ${column} END AS ${column}`;
}

/** The place of a register's clock in the column `clocks`, counted from 1 as Postgres does. */
function placeOf({ registers }: MergedTable, column: string): number {
  return registers.findIndex(([name]) => name === column) + 1;
}
