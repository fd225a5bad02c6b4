import { fromMs, textArray, type Statement } from '../connection/statement.ts';
import type { Person, Subject } from './subject.ts';

const COLUMN = { conversation: 'id', user: 'user_id', number: 'external_number' } as const;

/**
 * Finds conversations of a subject that are not erased; `id` of each.
 *
 * @param before  Only those whose first event happened before this time, in unix ms.
 */
export function findConversationsStatement(
  { by, value }: Subject,
  limit: number,
  before: number | undefined,
): Statement {
  return {
    sql: `
    SELECT c.id FROM conversations AS c
    WHERE c.${COLUMN[by]} = $1::text AND c.erased_at IS NULL
      AND ($3::text = '' OR c.created_at < ${fromMs(`NULLIF($3::text, '')::float8`)})
    ORDER BY c.started_at DESC LIMIT $2::text::int`,
    parameters: [value, String(limit), String(before ?? '')],
  };
}

/**
 * Finds what else tells the person, one row of `users` and `numbers`: the numbers from which nobody else has called, and the users who have called from no
 * other number. What others share tells nobody.
 */
export function findPersonStatement({ by, value }: Subject): Statement {
  return {
    sql: `SELECT to_jsonb(p.users) AS users, to_jsonb(p.numbers) AS numbers FROM (${PERSON[by]}) AS p`,
    parameters: [value],
  };
}

/**
 * Selects what stands in the column `other` beside the subject in `own`, and beside nobody else. Profiles say it as well: a call that is forgotten does not any
 * more.
 */
function alone(own: string, other: string): string {
  const column: Readonly<Record<string, string>> = { user_id: 'user_id', external_number: 'phone_number' };
  return `
      SELECT t.${other} FROM (
        SELECT c.${other} FROM conversations AS c WHERE c.${own} = $1::text AND c.${other} IS NOT NULL
        UNION SELECT p.${column[other]} FROM user_profiles AS p WHERE p.${column[own]} = $1::text AND p.${column[other]} IS NOT NULL
      ) AS t (${other})
      WHERE NOT EXISTS (SELECT FROM conversations AS o WHERE o.${other} = t.${other} AND o.${own} IS DISTINCT FROM $1::text)
        AND NOT EXISTS (SELECT FROM user_profiles AS o WHERE o.${column[other]} = t.${other} AND o.${column[own]} IS DISTINCT FROM $1::text)`;
}

/** Selects what tells the person of a subject: one row of `users` and `numbers`. */
const PERSON: Readonly<Record<Subject['by'], string>> = {
  conversation: `SELECT '{}'::text[] AS users, '{}'::text[] AS numbers WHERE $1::text IS NOT NULL`,
  user: `SELECT ARRAY[$1::text] AS users, ARRAY(${alone('user_id', 'external_number')}) AS numbers`,
  number: `SELECT ARRAY(${alone('external_number', 'user_id')}) AS users, ARRAY[$1::text] AS numbers`,
};

/**
 * Deletes profiles that are the person's: of each user, and of each number that was taken for a user. Returns the `user_id` of each.
 *
 * @param isLate  Only those of which no call is left: a call that came after somebody asked for the erasure has made the others.
 */
export function deleteProfilesStatement({ users, numbers }: Person, isLate: boolean): Statement {
  return {
    sql: `
    DELETE FROM user_profiles AS p
    WHERE p.user_id = ANY ($1::text[]) ${isLate ? WITHOUT_A_CALL : ''}
    RETURNING p.user_id`,
    parameters: [textArray([...users, ...numbers])],
  };
}

const WITHOUT_A_CALL = `AND NOT EXISTS (SELECT FROM conversations AS c WHERE c.user_id = p.user_id)
      AND NOT EXISTS (SELECT FROM conversations AS c WHERE c.external_number = p.user_id)`;

/** Takes the number out of the profiles of others who have called from it, and from elsewhere as well. Returns the `user_id` of each. */
export function clearNumbersStatement({ numbers }: Person): Statement {
  return {
    sql: `UPDATE user_profiles SET phone_number = NULL WHERE phone_number = ANY ($1::text[]) RETURNING user_id`,
    parameters: [textArray(numbers)],
  };
}

/** Whether a word `f` of a filter is one of `$1`; a text that was looked for may hold one. */
const NAMES = `(f.value = ANY ($1::text[])
          OR (f.key = 'text' AND EXISTS (SELECT FROM unnest($1::text[]) AS w (word) WHERE length(w.word) > 5 AND position(w.word IN f.value) > 0)))`;

/** Puts a hash in the place of whatever names the person in the filters of operations; one row with their number as `count`. */
export function clearFiltersStatement({ conversations, users, numbers }: Person, hash: string): Statement {
  return {
    sql: `
    WITH changed AS (
      UPDATE operations AS o
      SET filter = (
        SELECT jsonb_object_agg(f.key, CASE WHEN ${NAMES} THEN $2::text ELSE f.value END) FROM jsonb_each_text(o.filter) AS f
      )
      WHERE o.kind <> 'erase' AND EXISTS (SELECT FROM jsonb_each_text(o.filter) AS f WHERE ${NAMES})
      RETURNING o.id
    )
    SELECT count(*)::int AS count FROM changed`,
    parameters: [textArray([...conversations, ...users, ...numbers]), hash],
  };
}

/** Tells which of these conversations are erased; `id` of each. */
export function erasedAmongStatement(ids: readonly string[]): Statement {
  return {
    sql: `SELECT c.id FROM conversations AS c WHERE c.id = ANY ($1::text[]) AND c.erased_at IS NOT NULL`,
    parameters: [textArray(ids)],
  };
}

/** Lists the conversations behind an id that were erased at a time (unix ms) or later, in the order of their ids. */
export function erasedSinceStatement(since: number, after: string, limit: number): Statement {
  return {
    sql: `
    SELECT c.id FROM conversations AS c
    WHERE c.changed_at >= ${fromMs('$1::text::float8')} AND c.erased_at >= ${fromMs('$1::text::float8')} AND c.id > $2::text
    ORDER BY c.id LIMIT $3::text::int`,
    parameters: [String(since), after, String(limit)],
  };
}

/** Notes an erasure that begins; a repeat changes nothing. Its hash is that of the operation's filter. */
export function beginErasureStatement({ id, by, hash }: { id: string; by: Subject['by']; hash: string }): Statement {
  return {
    sql: `
    INSERT INTO erasures (id, kind, subject_hash, requested_at)
    SELECT $1::text::uuid, $2::text, $3::text, COALESCE((SELECT o.created_at FROM operations AS o WHERE o.id = $1::text::uuid), clock_timestamp())
    ON CONFLICT (id) DO NOTHING`,
    parameters: [id, by, hash],
  };
}

/** Adds to the counts of an erasure. In the transaction that forgets, so that neither is there without the other. */
export function addCountsStatement(id: string, counts: Readonly<Record<string, number>>): Statement {
  return {
    sql: `
    UPDATE erasures AS e
    SET counts = e.counts || (
      SELECT COALESCE(jsonb_object_agg(m.key, COALESCE((e.counts ->> m.key)::bigint, 0) + m.value::bigint), '{}')
      FROM jsonb_each_text($2::text::jsonb) AS m WHERE m.value::bigint > 0
    )
    WHERE e.id = $1::text::uuid`,
    parameters: [id, JSON.stringify(counts)],
  };
}

/** Notes that an erasure is done, with what else is to be told of it. */
export function endErasureStatement(id: string, told: Readonly<Record<string, number | string>>): Statement {
  return {
    sql: `
    UPDATE erasures SET done_at = clock_timestamp(), counts = counts || $2::text::jsonb WHERE id = $1::text::uuid`,
    parameters: [id, JSON.stringify(told)],
  };
}

/** Reads an erasure. */
export function getErasureStatement(id: string): Statement {
  return {
    sql: `
    SELECT id::text, kind, subject_hash AS "subjectHash", (extract(epoch FROM requested_at) * 1000)::float8 AS "requestedAt",
      (extract(epoch FROM done_at) * 1000)::float8 AS "doneAt", counts
    FROM erasures WHERE id = $1::text::uuid`,
    parameters: [id],
  };
}

/** Deletes refused requests; returns the `id` of each. */
export function deleteRejectedStatement(ids: readonly string[]): Statement {
  return {
    sql: `DELETE FROM rejected_requests WHERE id = ANY ($1::uuid[]) RETURNING id::text`,
    parameters: [`{${ids.join(',')}}`],
  };
}

/** How much of a subject there is, by place; one row. Redis, and what names the person without saying whose it is, no statement counts. */
export function erasurePlanStatement({ by, value }: Subject): Statement {
  return {
    sql: `
    WITH own AS MATERIALIZED (SELECT c.id, c.user_id, c.external_number, c.erased_at FROM conversations AS c WHERE c.${COLUMN[by]} = $1::text)
    SELECT (SELECT count(*)::int FROM own WHERE erased_at IS NULL) AS conversations,
      (SELECT count(*)::int FROM own WHERE erased_at IS NOT NULL) AS erased_before,
      ${countIn('conversation_messages')} AS messages, ${countIn('agent_tool_calls')} AS tool_calls, ${countIn('user_commands')} AS commands,
      ${countIn('webhook_events')} AS events,
      (SELECT count(*)::int FROM conversation_recordings AS t
       WHERE t.conversation_id IN (SELECT id FROM own) AND t.deleted_at IS NULL) AS recordings,
      (SELECT count(*)::int FROM user_profiles AS p, (${PERSON[by]}) AS who WHERE p.user_id = ANY (who.users || who.numbers)) AS profiles,
      (SELECT count(DISTINCT user_id)::int FROM own) AS users`,
    parameters: [value],
  };
}

/** Counts the rows of a table that belong to the conversations of `own`. */
function countIn(table: string): string {
  return `(SELECT count(*)::int FROM ${table} AS t WHERE t.conversation_id IN (SELECT id FROM own))`;
}
