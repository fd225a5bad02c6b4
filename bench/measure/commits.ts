import { Client } from 'pg';

/** Events that one transaction brought into the ledger. */
export interface Commit {
  /** Unix milliseconds, with a fraction. */
  at: number;
  events: number;
}

/** The tables that users read, and the ledger. */
export const TABLES = [
  'webhook_events',
  'conversations',
  'conversation_messages',
  'agent_tool_calls',
  'user_commands',
  'user_profiles',
] as const;

/** Runs one query on a connection of its own. */
export async function querySql<Row extends object>(
  url: string,
  sql: string,
  parameters: unknown[] = [],
): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql, parameters)).rows;
  } finally {
    await client.end();
  }
}

/** The ledger's end: rows that come later stand behind it, so that they are found without reading those before. */
export async function ledgerEnd(databaseUrl: string): Promise<number> {
  const [row] = await querySql<{ pages: number }>(
    databaseUrl,
    `SELECT (pg_relation_size('webhook_events') / current_setting('block_size')::int)::int AS pages`,
  );
  return row?.pages ?? 0;
}

/**
 * When events were committed since `from`, in order. Postgres notes the time of each commit (track_commit_timestamp), so
 * nothing has to be asked while the work goes on, and no start of a process is counted.
 */
export async function commitsSince(databaseUrl: string, from: { page: number; at: number }): Promise<Commit[]> {
  return querySql<Commit>(
    databaseUrl,
    `SELECT at, count(*)::int AS events
     FROM (SELECT (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000)::float8 AS at
           FROM webhook_events WHERE ctid >= format('(%s,0)', $1::int)::tid) AS rows
     WHERE at >= $2 GROUP BY at ORDER BY at`,
    // One page back: the last one may have had room.
    [Math.max(0, from.page - 1), from.at],
  );
}

/** What a worker did. Times in unix milliseconds. */
export interface WorkedOff {
  commits: readonly Commit[];
  startedAt: number;
}

/**
 * Events per second from the first commit after the warm-up to the last one, or to the last one within `windowMs`. A backlog so
 * small that no two commits are left tells little: then the start of the process counts.
 */
export function rateOf({ commits, startedAt }: WorkedOff, { warmUpMs, windowMs }: RateWindow): number {
  const [begun] = commits;
  if (!begun) throw new Error('No commit is too few for a rate.');
  const start = commits.findIndex(({ at }) => at >= begun.at + warmUpMs);
  const first = commits[start] ?? begun;
  const counted = commits.slice(start + 1).filter(({ at }) => at > first.at && at <= first.at + windowMs);
  const end = counted.at(-1);
  if (!end) return (sumOf(commits) * 1000) / ((commits.at(-1) ?? begun).at - startedAt);
  return (sumOf(counted) * 1000) / (end.at - first.at);
}

/** What of a worker's time counts, in milliseconds. */
export interface RateWindow {
  /** Left out at the beginning, from the first commit on: who has just started connects and compiles. */
  warmUpMs: number;
  windowMs: number;
}

function sumOf(commits: readonly Commit[]): number {
  return commits.reduce((sum, { events }) => sum + events, 0);
}

/** Rows in all tables together. */
export async function countRows(databaseUrl: string): Promise<number> {
  const counts = TABLES.map((table) => `(SELECT count(*) FROM ${table})`).join(' + ');
  const [row] = await querySql<{ rows: number }>(databaseUrl, `SELECT (${counts})::float8 AS rows`);
  return row?.rows ?? 0;
}
