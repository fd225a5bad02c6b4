import type { Run } from '../connection/transactions.ts';

/** Which of some events the ledger lacks, and which server said so. */
export interface Missing {
  /** Another text after a restart, a failover or a change of servers. */
  server: string;
  /** Ledger ids. */
  ids: string[];
}

/** Asks both in one statement, so that one server answers both. */
export async function findMissing(ids: readonly string[], run: Run): Promise<Missing> {
  const [row = {}] = await run({ sql: FIND, parameters: [`{${ids.join(',')}}`] });
  const { server, missing } = row;
  return { server: String(server), ids: typeof missing === 'string' ? missing.split(',') : [] };
}

/** Names the server, as an SQL expression: when it was started. A replica that was promoted had a start of its own. */
export const SERVER = `extract(epoch FROM pg_postmaster_start_time())::text`;

const FIND = `
  SELECT ${SERVER} AS server,
    (SELECT string_agg(i.id::text, ',') FROM unnest($1::text::uuid[]) AS i (id)
     WHERE NOT EXISTS (SELECT FROM webhook_events e WHERE e.id = i.id)) AS missing`;
