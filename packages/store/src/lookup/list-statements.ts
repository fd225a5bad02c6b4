import { fromMs, textArray, type Statement } from '../connection/statement.ts';
import { toMs } from '../find/found-event.ts';
import { hasWordWithoutIndex, isIndexed, type ConversationFilter } from './conversation-filter.ts';
import { containing } from './containing.ts';
import { COMPLETENESS, FOUND_CONVERSATION_COLUMNS, type StartedPosition } from './found-conversation.ts';

/** One page of conversations. */
export interface StartedPage {
  /** Only conversations behind this place. */
  after?: StartedPosition | undefined;
  limit: number;
}

type Bind = (value: string | number) => string;

/** The index of completeness holds these alone. */
const UNFINISHED = `c.completeness <> 'complete' AND c.completeness <> 'erased'`;

/** Makes the conditions of the words that an index has, on `conversations c`. */
function indexed(
  { conversation, agent, user, number, completeness, since, until }: ConversationFilter,
  after: StartedPosition | undefined,
  bind: Bind,
): string[] {
  const time = (ms: number): string => `${fromMs(`${bind(ms)}::float8`)}::timestamptz(3)`;
  const given = equal({ id: conversation, agent_id: agent, user_id: user, external_number: number }, bind);
  if (completeness !== undefined && isIndexed(completeness))
    given.push(`c.completeness = ${bind(completeness)}`, UNFINISHED, 'c.erased_at IS NULL');
  if (since !== undefined) given.push(`c.started_at >= ${time(since)}`);
  if (until !== undefined) given.push(`c.started_at < ${time(until)}`);
  if (after !== undefined) given.push(`(c.started_at, c.id) < (${time(after.startedAt)}, ${bind(after.id)})`);
  return given;
}

/** Makes the conditions of the words that no index has. `text` is in neither. */
function withoutIndex(filter: ConversationFilter, bind: Bind): string[] {
  const { status, language, channel, outcome, completeness, min_duration: least, max_duration: most } = filter;
  const given = equal({ status, language, channel, call_successful: outcome }, bind);
  if (completeness !== undefined && !isIndexed(completeness)) given.push(`${COMPLETENESS} = ${bind(completeness)}`);
  if (least !== undefined) given.push(`c.duration_seconds >= ${bind(least)}::float8`);
  if (most !== undefined) given.push(`c.duration_seconds <= ${bind(most)}::float8`);
  return given;
}

function equal(columns: Readonly<Record<string, string | undefined>>, bind: Bind): string[] {
  return Object.entries(columns).flatMap(([column, value]) =>
    value === undefined ? [] : [`c.${column} = ${bind(value)}`],
  );
}

function where(conditions: readonly string[]): string {
  return conditions.length === 0 ? '' : `WHERE ${conditions.join('\n        AND ')}`;
}

function binding(): { parameters: string[]; bind: Bind } {
  const parameters: string[] = [];
  return { parameters, bind: (value) => `$${parameters.push(String(value))}::text` };
}

/** Lists conversations, the newest first. They are counted in when the page is known, so only its own are. */
export function listConversationsStatement(filter: ConversationFilter, { after, limit }: StartedPage): Statement {
  const { parameters, bind } = binding();
  const conditions = [...indexed(filter, after, bind), ...withoutIndex(filter, bind)];
  return {
    sql: `
    SELECT ${FOUND_CONVERSATION_COLUMNS}
    FROM (
      SELECT c.* FROM conversations c
        ${where(conditions)}
      ORDER BY c.started_at DESC, c.id DESC LIMIT ${bind(limit)}::int
    ) AS c
    ORDER BY c.started_at DESC, c.id DESC`,
    parameters,
  };
}

/** Conversations of a slice for each that may fit, where the filter has words without an index: to look at those words costs little. */
const ROWS_OF_A_CANDIDATE = 32;

/** How many conversations the slice has at most that `searchStatement` looks at. */
export function rowsOfSlice(filter: ConversationFilter, { limit }: StartedPage): number {
  return hasWordWithoutIndex(filter) ? limit * ROWS_OF_A_CANDIDATE : limit;
}

/**
 * Looks at one slice of conversations, the newest first. The slice is made by the words that have an index. Its candidates are the first `limit` that fit
 * the other words, and the text is looked for in these alone. One row for each candidate, with `matches`; without a candidate there is one row, whose
 * `id` is null. Each row tells the last conversation of the slice, and how many there are.
 *
 * LIMIT makes Postgres look the texts of each candidate up by their key: it would read the whole table for a text that is anywhere.
 */
export function searchStatement(filter: ConversationFilter, page: StartedPage): Statement {
  const { parameters, bind } = binding();
  const fits = withoutIndex(filter, bind);
  const conditions = indexed(filter, page.after, bind);
  const text = filter.text === undefined ? undefined : textIn(containing(filter.text, bind));
  return {
    sql: `
    WITH slice AS MATERIALIZED (
      SELECT c.id, c.started_at, ${fits.length === 0 ? 'true' : fits.join(' AND ')} AS fits,
        row_number() OVER (ORDER BY c.started_at DESC, c.id DESC) AS n
      FROM (
        SELECT * FROM conversations c
          ${where(conditions)}
        ORDER BY c.started_at DESC, c.id DESC LIMIT ${bind(rowsOfSlice(filter, page))}::int
      ) AS c
    ), candidates AS MATERIALIZED (
      SELECT * FROM slice WHERE fits ORDER BY n LIMIT ${bind(page.limit)}::int
    ), last AS (
      SELECT * FROM slice ORDER BY n DESC LIMIT 1
    )
    SELECT s.id, ${toMs('s.started_at')} AS "startedAt", s.n::float8 AS n, ${text?.matches ?? 'true'} AS matches,
      last.n::float8 AS rows, last.id AS "endId", ${toMs('last.started_at')} AS "endAt"
    FROM last LEFT JOIN candidates AS s ON true ${text?.join ?? ''}
    ORDER BY s.n`,
    parameters,
  };
}

/** Looks for a text in a candidate `s`. */
function textIn(has: (column: string) => string): { matches: string; join: string } {
  return {
    matches: `COALESCE(${has('told.title')}, false) OR COALESCE(${has('told.summary')}, false) OR said.is_there IS NOT NULL`,
    join: `LEFT JOIN LATERAL (
      SELECT c.title, c.summary FROM conversations c WHERE c.id = s.id LIMIT 1
    ) AS told ON true LEFT JOIN LATERAL (
      SELECT true AS is_there FROM conversation_messages m
      WHERE m.conversation_id = s.id AND ${has('m.content')} LIMIT 1
    ) AS said ON true`,
  };
}

/** Lists these conversations, the newest first. */
export function conversationsStatement(ids: readonly string[]): Statement {
  return {
    sql: `
    SELECT ${FOUND_CONVERSATION_COLUMNS} FROM conversations c WHERE c.id = ANY ($1::text[])
    ORDER BY c.started_at DESC, c.id DESC`,
    parameters: [textArray(ids)],
  };
}

/** Lists a person's other conversations, the newest first: those of a user, else those of a number. */
export function otherCallsStatement(
  { by, value, id }: { by: 'user_id' | 'external_number'; value: string; id: string },
  limit: number,
): Statement {
  return {
    sql: `
    SELECT ${FOUND_CONVERSATION_COLUMNS}
    FROM (
      SELECT c.* FROM conversations c WHERE c.${by} = $1::text AND c.id <> $2::text
      ORDER BY c.started_at DESC, c.id DESC LIMIT $3::text::int
    ) AS c
    ORDER BY c.started_at DESC, c.id DESC`,
    parameters: [value, id, String(limit)],
  };
}
