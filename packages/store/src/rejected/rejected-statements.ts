import { HOPELESS_CAUSES } from '@landline/webhook/causes';
import { fromMs, plainArray, type Statement } from '../connection/statement.ts';
import { LISTED, type RejectedFilter, type RejectedPosition, type RejectedRow } from './rejected-row.ts';

/** How many rows the table keeps. */
export const MAX_ROWS = 10_000;

/** How many bytes of bodies the table keeps: 512 MiB. */
export const MAX_BODY_BYTES = 536_870_912;

/** Writes a row; one that is there stays as it is, so a repeat is harmless. */
export function insertStatement({ body, header, ...row }: RejectedRow): Statement {
  const fields = {
    ...row,
    header: typeof header === 'string' ? header : (header?.join('\n') ?? null),
    hasBody: body !== null,
  };
  const text = JSON.stringify(fields, (_, value: unknown) => (typeof value === 'string' ? storable(value) : value));
  return { sql: INSERT, parameters: [text, body ?? new Uint8Array()] };
}

/** No jsonb holds U+0000 or half of a surrogate pair. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}

const INSERT = `
    INSERT INTO rejected_requests
      (id, received_at, code, cause, advice, header, headers, body, body_bytes, sender, readmitted_at)
    SELECT (r ->> 'id')::uuid, ${fromMs(`(r ->> 'receivedAt')::float8`)}, r ->> 'code', r ->> 'cause', r ->> 'advice', r ->> 'header',
      r -> 'headers', CASE WHEN (r ->> 'hasBody')::boolean THEN $2::bytea END, (r ->> 'bodyBytes')::bigint, r ->> 'sender',
      ${fromMs(`(r ->> 'readmittedAt')::float8`)}
    FROM (SELECT $1::text::jsonb AS r) AS sent
    ON CONFLICT (id) DO NOTHING`;

/**
 * Takes rows out, so that `maxRows` stay: the oldest ones, but first those that are readmitted or that nobody can readmit. So whoever sends requests without a
 * signature does not push those out that wait for the right secret. While there are few rows it reads the index alone.
 */
export function pruneRowsStatement(maxRows: number): Statement {
  return {
    sql: `
    DELETE FROM rejected_requests WHERE id IN (
      SELECT id FROM rejected_requests
      WHERE EXISTS (SELECT FROM rejected_requests ORDER BY received_at DESC, id DESC OFFSET $1::text::int)
      ORDER BY (readmitted_at IS NULL AND cause <> ALL ($2::text[])) DESC, received_at DESC, id DESC OFFSET $1::text::int
    )`,
    parameters: [String(maxRows), plainArray(HOPELESS_CAUSES)],
  };
}

/** Takes the oldest rows out, so that the bodies of the others have `maxBytes` at most. It reads each row, but no body. */
export function pruneBytesStatement(maxBytes: number): Statement {
  return {
    sql: `
    DELETE FROM rejected_requests WHERE id IN (
      SELECT id FROM (
        SELECT id, sum(COALESCE(octet_length(body), 0)) OVER (ORDER BY received_at DESC, id DESC) AS bytes FROM rejected_requests
      ) AS newest
      WHERE bytes > $1::text::bigint
    )`,
    parameters: [String(maxBytes)],
  };
}

/** Reads rows with their bodies behind a position, the oldest first. */
export function pageStatement(
  filter: RejectedFilter,
  { after, limit }: { after?: RejectedPosition | undefined; limit: number },
): Statement {
  const { receivedAt, id } = after ?? { receivedAt: 0, id: '00000000-0000-0000-0000-000000000000' };
  return {
    sql: `
    SELECT ${LISTED}, body
    FROM rejected_requests
    WHERE (received_at, id) > (${fromMs('$1::text::float8')}::timestamptz(3), $2::text::uuid)
      AND received_at >= ${fromMs('$3::text::float8')} AND received_at < ${fromMs('$4::text::float8')}
      AND ($5::text = '' OR cause = $5::text)
    ORDER BY received_at, id
    LIMIT $6::text::int`,
    parameters: [
      String(receivedAt),
      id,
      String(filter.since ?? 0),
      String(filter.until ?? FAR_AHEAD_MS),
      filter.cause ?? '',
      String(limit),
    ],
  };
}

/** The year 9999: Postgres makes no timestamp of Infinity's milliseconds. */
export const FAR_AHEAD_MS = 253_370_764_800_000;

/** Notes that rows were readmitted. */
export function markStatement(ids: readonly string[], atMs: number): Statement {
  return {
    sql: `UPDATE rejected_requests SET readmitted_at = ${fromMs('$2::text::float8')} WHERE id = ANY ($1::text::uuid[])`,
    parameters: [plainArray(ids), String(atMs)],
  };
}
