import { fromMs, type Statement } from '../connection/statement.ts';
import { toMs } from '../find/found-event.ts';

/** The kind of a run of retention, as `operations.kind` has it. */
export const RETENTION = 'retention';

/** Who asks for the runs that recur, as `operations.requested_by` has it. */
export const SCHEDULE = 'schedule';

/** The kind of a comparison with the provider, as `operations.kind` has it. */
export const RECONCILE = 'reconcile';

/** The kinds of the runs that recur. */
type RecurringKind = typeof RETENTION | typeof RECONCILE;

/**
 * Asks for a run, unless one waits or runs, or the schedule has asked for one since `leastMs`. So one tick makes one run, however many
 * workers and shards have noticed it. All times are the database's.
 */
export function requestRunStatement(
  kind: RecurringKind,
  filter: Readonly<Record<string, string>>,
  leastMs: number,
): Statement {
  return {
    sql: `
    INSERT INTO operations (kind, filter, requested_by)
    SELECT '${kind}', $1::text::jsonb, '${SCHEDULE}'
    WHERE NOT EXISTS (
      SELECT FROM operations AS o WHERE o.kind = '${kind}' AND (o.status IN ('planned', 'running')
        OR (o.requested_by = '${SCHEDULE}' AND o.created_at > clock_timestamp() - $2::text::float8 * interval '1 millisecond')))
    RETURNING id::text`,
    parameters: [JSON.stringify(filter), String(leastMs)],
  };
}

/** Reads the newest run that is done, with the words of its filter. */
export const LAST_RUN: Statement = {
  sql: `
    SELECT ${toMs('o.started_at')} AS "startedAt", o.filter FROM operations AS o
    WHERE o.kind = '${RETENTION}' AND o.status = 'done' AND o.started_at IS NOT NULL
    ORDER BY o.created_at DESC LIMIT 1`,
  parameters: [],
};

/** Reads how many seconds ago the newest run ended well; where none did, how long ago one was first asked for. Null where none ever was. One with a time of its own may have left out what is older, and does not count. */
export function runAgeStatement(kind: RecurringKind): Statement {
  return {
    sql: `
    SELECT extract(epoch FROM clock_timestamp() - COALESCE(max(o.finished_at) FILTER (WHERE o.status = 'done'), min(o.created_at)))::float8 AS age
    FROM operations AS o WHERE o.kind = '${kind}' AND o.filter ->> 'since' IS NULL`,
    parameters: [],
  };
}

/** Reads the database's clock. */
export const CLOCK: Statement = { sql: `SELECT ${toMs('clock_timestamp()')} AS now`, parameters: [] };

/** Whether a run of the schedule found nothing to do. What a comparison has `done` is how many calls it looked at. */
const IS_UNEVENTFUL = `o.requested_by = '${SCHEDULE}' AND o.status = 'done' AND o.failed = 0
        AND CASE o.kind
          WHEN '${RETENTION}' THEN o.done = 0
          WHEN '${RECONCILE}' THEN NOT EXISTS (
            SELECT FROM reconciliations AS r WHERE r.id = o.id AND (r.fetched > 0 OR r.fetched_recordings > 0))
          ELSE false END`;

/**
 * Deletes operations that ended before a time, and the runs of the schedule that found nothing to do within the last day: there is one each hour, or
 * each quarter of one. The newest run of a kind stays.
 */
export function deleteOperationsStatement(before: number): Statement {
  return {
    sql: `
    DELETE FROM operations AS o
    WHERE o.finished_at < ${fromMs('$1::text::float8')}
      OR (${IS_UNEVENTFUL}
        AND o.finished_at < clock_timestamp() - interval '1 day'
        AND o.created_at < (SELECT max(n.created_at) FROM operations AS n WHERE n.kind = o.kind AND n.status = 'done'))`,
    parameters: [String(before)],
  };
}
