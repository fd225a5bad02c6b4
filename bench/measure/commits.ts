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

/** Of what is left out at the beginning of a backlog: its share, or this many events where that is less. */
const WARM_UP_SHARE = 0.02;
const WARM_UP_EVENTS = 500;

/** How many events of a backlog are left out of its rate: processes that have just started are slow. */
export function warmUpEvents(backlog: number): number {
  return Math.min(WARM_UP_EVENTS, Math.ceil(backlog * WARM_UP_SHARE));
}

/** What a worker did. Times in unix milliseconds. */
export interface WorkedOff {
  commits: readonly Commit[];
  startedAt: number;
}

/**
 * Events per second from the commit that ends the warm-up to the last one, or to the last one within `windowMs`. A backlog so
 * small that no two commits are left tells little: then the start of the process counts.
 */
export function rateOf({ commits, startedAt }: WorkedOff, { warmUp, windowMs }: RateWindow): number {
  let before = 0;
  const first = commits.findIndex(({ events }) => (before += events) >= warmUp);
  const start = commits[first];
  if (!start) throw new Error(`${before} events are too few for a rate.`);
  const counted = commits.slice(first + 1).filter(({ at }) => at <= start.at + windowMs);
  const end = counted.at(-1);
  if (!end) return (before * 1000) / (start.at - startedAt);
  return (sumOf(counted) * 1000) / (end.at - start.at);
}

/** What of a worker's time counts. */
export interface RateWindow {
  /** Events that are left out at the beginning. */
  warmUp: number;
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
