import { runSql } from '../../test/support/run-sql.ts';
import { TABLE_NAMES } from '../../test/support/tables.ts';

/** A transaction, and the number of events that it wrote to the ledger. */
export interface Commit {
  /** Unix milliseconds, with a fraction. */
  at: number;
  events: number;
}

/** Finds the end of the ledger. Later rows lie behind it, and can be read without the earlier ones. */
export async function ledgerEnd(databaseUrl: string): Promise<number> {
  const [row] = await runSql<{ pages: number }>(
    databaseUrl,
    `SELECT (pg_relation_size('webhook_events') / current_setting('block_size')::int)::int AS pages`,
  );
  return row?.pages ?? 0;
}

/**
 * Reads when events were committed since `from`, in order. Postgres notes the time of each commit (track_commit_timestamp). So no query
 * runs during the work, and the start of a process does not count.
 */
export async function commitsSince(databaseUrl: string, from: { page: number; at: number }): Promise<Commit[]> {
  return runSql<Commit>(
    databaseUrl,
    `SELECT at, count(*)::int AS events
     FROM (SELECT (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000)::float8 AS at
           FROM webhook_events WHERE ctid >= format('(%s,0)', $1::int)::tid) AS rows
     WHERE at >= $2 GROUP BY at ORDER BY at`,
    // One page back: the last page may have had room for more rows.
    [Math.max(0, from.page - 1), from.at],
  );
}

/** The work of a worker. Times are in unix milliseconds. */
export interface WorkedOff {
  commits: readonly Commit[];
  startedAt: number;
  /** The time of the request to stop. The worker may have committed the events in hand after that. */
  stoppedAt: number;
}

/**
 * Computes the events per second. The time runs from `warmUpMs` after the first commit to the last commit before the request to stop.
 *
 * - The time does not begin at a commit. Several transactions may end together: from the first one on, the work of the others would count,
 *   but not their time.
 * - In a small backlog that ends before twice `warmUpMs`, all commits count: a few commits after the warm-up say nothing.
 * - For a single commit, the time from the start of the process counts.
 *
 * @param warmUpMs  Time at the beginning that does not count: a program that has just started connects and compiles.
 */
export function rateOf({ commits, startedAt, stoppedAt }: WorkedOff, warmUpMs: number): number {
  const [begun, ...rest] = commits;
  if (!begun) throw new Error('No commit is too few for a rate.');
  const from = begun.at + warmUpMs;
  const inTime = rest.filter(({ at }) => at <= stoppedAt);
  const warm = inTime.filter(({ at }) => at > from);
  if ((warm.at(-1)?.at ?? from) >= from + warmUpMs) return perSecond(warm, from);
  return inTime.length > 0 ? perSecond(inTime, begun.at) : perSecond(commits, startedAt);
}

function perSecond(commits: readonly Commit[], from: number): number {
  return (sumOf(commits) * 1000) / ((commits.at(-1)?.at ?? from) - from);
}

function sumOf(commits: readonly Commit[]): number {
  return commits.reduce((sum, { events }) => sum + events, 0);
}

/** Counts the rows of all tables together. */
export async function countRows(databaseUrl: string): Promise<number> {
  const counts = TABLE_NAMES.map((table) => `(SELECT count(*) FROM ${table})`).join(' + ');
  const [row] = await runSql<{ rows: number }>(databaseUrl, `SELECT (${counts})::float8 AS rows`);
  return row?.rows ?? 0;
}
