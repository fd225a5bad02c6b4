import { runSql } from '../../test/support/run-sql.ts';
import { TABLE_NAMES } from '../../test/support/tables.ts';

/** Events that one transaction brought into the ledger. */
export interface Commit {
  /** Unix milliseconds, with a fraction. */
  at: number;
  events: number;
}

/** The ledger's end: rows that come later stand behind it, so that they are found without reading those before. */
export async function ledgerEnd(databaseUrl: string): Promise<number> {
  const [row] = await runSql<{ pages: number }>(
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
  return runSql<Commit>(
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
  /** When it was told to stop; what it had in hand it may have committed after that. */
  stoppedAt: number;
}

/**
 * Events per second, from `warmUpMs` after the first commit to the last one before the worker was told to stop. From a moment that no
 * commit chose: several transactions may end together, and whoever counts from the first of them counts the others' work but not
 * their time. Of a backlog so small that it ends before as much time again, all commits count: what came a moment after the
 * warm-up says nothing. Of a single commit, the time from the start of the process counts.
 *
 * @param warmUpMs  Left out at the beginning: who has just started connects and compiles.
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

/** Rows in all tables together. */
export async function countRows(databaseUrl: string): Promise<number> {
  const counts = TABLE_NAMES.map((table) => `(SELECT count(*) FROM ${table})`).join(' + ');
  const [row] = await runSql<{ rows: number }>(databaseUrl, `SELECT (${counts})::float8 AS rows`);
  return row?.rows ?? 0;
}
