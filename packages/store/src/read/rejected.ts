import { quoteText } from '../connection/database-url.ts';
import {
  LISTED,
  readListings,
  readRows,
  type RejectedFilter,
  type RejectedListing,
  type RejectedRow,
} from '../rejected/rejected-row.ts';
import { readQuery } from './read-query.ts';

/**
 * Lists refused requests without their bodies, the newest first, as `readQuery` reads.
 *
 * @param databaseUrl  Best the reader's.
 * @throws             StoreError with what Postgres says.
 */
export async function listRejected(
  databaseUrl: string,
  filter: RejectedFilter & { limit: number },
): Promise<RejectedListing[]> {
  const { since, until, cause, limit } = filter;
  const conditions = [
    ...(since === undefined ? [] : [`received_at >= ${atMs(since)}`]),
    ...(until === undefined ? [] : [`received_at < ${atMs(until)}`]),
    ...(cause === undefined ? [] : [`cause = ${quoteText(cause)}`]),
  ];
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const sql = `
    SELECT ${LISTED} FROM rejected_requests ${where} ORDER BY received_at DESC, id DESC LIMIT ${Math.trunc(limit)}`;
  return readListings(await readQuery(databaseUrl, sql));
}

/**
 * Reads one refused request with its body, as `readQuery` reads.
 *
 * @param databaseUrl  Best the reader's.
 * @param id           A uuid.
 * @returns            undefined where there is no such row.
 * @throws             StoreError with what Postgres says, also for an id that is no uuid.
 */
export async function readRejected(databaseUrl: string, id: string): Promise<RejectedRow | undefined> {
  const sql = `SELECT ${LISTED}, body FROM rejected_requests WHERE id = ${quoteText(id)}::uuid`;
  return readRows(await readQuery(databaseUrl, sql))[0];
}

function atMs(ms: number): string {
  return `to_timestamp(${ms}::float8 / 1000)`;
}
