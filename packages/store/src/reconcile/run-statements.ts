import { fromMs, type Statement } from '../connection/statement.ts';
import { toMs } from '../find/found-event.ts';
import type { ReconcileRun } from './reconcile.ts';

/** For how long a run is kept after its end, in days. */
const KEPT_DAYS = 90;

/** How far the clocks of a worker and of the database may be apart, in minutes: a worker says when it has fetched an event, the database when a run began. */
const CLOCKS_MINUTES = 5;

/** The columns of a `ReconcileRun`, of `reconciliations r`. */
const RUN = `r.id::text, ${toMs('r.window_from')} AS "windowFrom", ${toMs('r.window_to')} AS "windowTo", ${toMs('r.started_at')} AS "startedAt",
      ${toMs('r.finished_at')} AS "finishedAt", r.error, r.listed::float8, r.complete::float8, r.waiting::float8, r.fetched::float8,
      r.fetched_recordings::float8 AS "fetchedRecordings", r.unfetchable::float8`;

const time = (place: number) => fromMs(`NULLIF($${place}::text, '')::float8`);

/** Makes a run's row, or replaces it. */
export function writeRunStatement(run: ReconcileRun): Statement {
  const counts = ['listed', 'complete', 'waiting', 'fetched', 'fetched_recordings', 'unfetchable'];
  const columns = ['window_from', 'window_to', 'started_at', 'finished_at', 'error', ...counts];
  return {
    sql: `
    INSERT INTO reconciliations (id, ${columns.join(', ')})
    VALUES ($1::text::uuid, ${time(2)}, ${time(3)}, ${time(4)}, ${time(5)}, NULLIF($6::text, ''),
      ${counts.map((_, i) => `$${i + 7}::text::bigint`).join(', ')})
    ON CONFLICT (id) DO UPDATE SET ${columns.map((name) => `${name} = EXCLUDED.${name}`).join(', ')}`,
    parameters: [
      run.id,
      ...[run.windowFrom, run.windowTo, run.startedAt, run.finishedAt ?? ''].map(String),
      run.error ?? '',
      ...[run.listed, run.complete, run.waiting, run.fetched, run.fetchedRecordings, run.unfetchable].map(String),
    ],
  };
}

/** Deletes the runs that are kept no longer; one that never ended, by its beginning. */
export const DELETE_OLD_RUNS: Statement = {
  sql: `DELETE FROM reconciliations AS r
    WHERE COALESCE(r.finished_at, r.started_at) < clock_timestamp() - interval '${KEPT_DAYS} days'`,
  parameters: [],
};

/** Reads the run of an operation. */
export function runStatement(id: string): Statement {
  return { sql: `SELECT ${RUN} FROM reconciliations AS r WHERE r.id = $1::text::uuid`, parameters: [id] };
}

/** Lists runs, the newest first. */
export function listRunsStatement(limit: number): Statement {
  return {
    sql: `SELECT ${RUN} FROM reconciliations AS r ORDER BY r.started_at DESC, r.id DESC LIMIT $1::text::int`,
    parameters: [String(limit)],
  };
}

const IS_OF_SCHEDULE = `NOT EXISTS (SELECT FROM operations AS o WHERE o.id = r.id AND o.filter ->> 'since' IS NOT NULL)`;

/** Reads where the earliest window of the schedule's runs began. */
export const OLDEST_WINDOW: Statement = {
  sql: `SELECT ${toMs('min(r.window_from)')} AS oldest FROM reconciliations AS r WHERE ${IS_OF_SCHEDULE}`,
  parameters: [],
};

/** Reads when the first comparison began of those that are kept. */
export const FIRST_RUN: Statement = {
  sql: `SELECT ${toMs('min(r.started_at)')} AS "firstAt" FROM reconciliations AS r`,
  parameters: [],
};

/**
 * Reads the newest run of the schedule's window that ended well, and of those that listed so many hours at least. One that somebody asked for with a time of its own
 * says so in its operation's filter, and may have left out what is older. An operation that is gone was the schedule's: it found nothing to do.
 */
export function lastGoodRunStatement(hours = 0): Statement {
  return {
    sql: `
    SELECT ${RUN} FROM reconciliations AS r
    WHERE r.finished_at IS NOT NULL AND r.error IS NULL AND ${IS_OF_SCHEDULE}
      AND r.window_to - r.window_from >= $1::text::float8 * interval '1 hour' - interval '1 minute'
    ORDER BY r.started_at DESC, r.id DESC LIMIT 1`,
    parameters: [String(hours)],
  };
}

const callsWhere = (condition: string) => `(count(DISTINCT e.conversation_id) FILTER (WHERE ${condition}))::float8`;

/** It is looked up each time: Postgres might read a whole table for an EXISTS. */
const IS_COMPLETE = `COALESCE((SELECT bool_or(c.completeness = 'complete') FROM conversations AS c WHERE c.id = e.conversation_id), false)`;

/**
 * Counts the conversations for which a transcript, and audio, was fetched from the provider's API since a time by the database's clock, and applied; and how many of these are
 * complete. What was fetched before, and applied since, is that of an earlier run.
 */
export function fetchedSinceStatement(since: number): Statement {
  return {
    sql: `
    SELECT ${callsWhere(`e.type = 'post_call_transcription'`)} AS transcripts, ${callsWhere(`e.type = 'post_call_audio'`)} AS recordings,
      ${callsWhere(IS_COMPLETE)} AS complete
    FROM webhook_events AS e
    WHERE e.origin = 'backfill' AND e.received_at >= ${fromMs('$1::text::float8')} - interval '${CLOCKS_MINUTES} minutes'
      AND e.outcome = 'applied' AND e.applied_at >= ${fromMs('$1::text::float8')}`,
    parameters: [String(since)],
  };
}

/**
 * Marks a look at the provider's side as begun, and returns a row, unless one began within `leastMs`. Of two workers, the second waits for the row, and then
 * sees the time of the first. A time ahead of the clock says nothing, as the clock was set back; one that was rounded up to the millisecond is of now.
 */
export function beginCheckStatement(leastMs: number): Statement {
  return {
    sql: `
    INSERT INTO provider_checks AS c (id) VALUES (1)
    ON CONFLICT (id) DO UPDATE SET begun_at = clock_timestamp()
    WHERE c.begun_at NOT BETWEEN clock_timestamp() - make_interval(secs => $1::text::float8 / 1000) AND clock_timestamp() + interval '1 second'
    RETURNING c.id`,
    parameters: [String(leastMs)],
  };
}

/** Keeps what a look at the provider's side has found, in the place of what was found before. */
export function saveCheckStatement(check: unknown): Statement {
  return {
    sql: `
    INSERT INTO provider_checks (id, result) VALUES (1, $1::text::jsonb)
    ON CONFLICT (id) DO UPDATE SET result = EXCLUDED.result, saved_at = clock_timestamp()`,
    parameters: [JSON.stringify(check)],
  };
}

/** Reads it. There is none yet while the first look runs. */
export const READ_CHECK: Statement = {
  sql: `SELECT ${toMs('saved_at')} AS "savedAt", result AS check FROM provider_checks WHERE result IS NOT NULL`,
  parameters: [],
};

/** Lists requests that were refused between two times, the newest first. */
export function refusedStatement(from: number, to: number, limit: number): Statement {
  return {
    sql: `
    SELECT ${toMs('r.received_at')} AS "receivedAt", r.code, r.cause, r.advice FROM rejected_requests AS r
    WHERE r.received_at >= ${fromMs('$1::text::float8')} AND r.received_at <= ${fromMs('$2::text::float8')}
    ORDER BY r.received_at DESC, r.id DESC LIMIT $3::text::int`,
    parameters: [String(from), String(to), String(limit)],
  };
}
