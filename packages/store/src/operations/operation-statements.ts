import { fromMs, type Statement } from '../connection/statement.ts';
import { SCHEDULE } from '../retention/run-statements.ts';
import {
  OPERATION_COLUMNS,
  type OperationPosition,
  type OperationProgress,
  type OperationRequest,
} from './operation.ts';

// All times are the database's: workers' clocks differ. An empty text stands for null.

/** The lease that a holder has, and how it is known. */
export interface Lease {
  /** The operation's id, a uuid. */
  id: string;
  /** As it was claimed. */
  fence: number;
}

/** Records what somebody asks for. No row: there is an operation of that id already. */
export function requestStatement({ id, kind, filter, total, rate, requestedBy }: OperationRequest): Statement {
  return {
    sql: `
    INSERT INTO operations AS o (id, kind, filter, total, rate, requested_by)
    VALUES (COALESCE(NULLIF($6::text, '')::uuid, gen_random_uuid()),
      $1::text, $2::text::jsonb, NULLIF($3::text, '')::bigint, NULLIF($4::text, '')::int, NULLIF($5::text, ''))
    ON CONFLICT (id) DO NOTHING
    RETURNING ${OPERATION_COLUMNS}`,
    parameters: [kind, JSON.stringify(filter), String(total ?? ''), String(rate ?? ''), requestedBy ?? '', id ?? ''],
  };
}

/** Only one claim of a kind at a time, in a schema; until the transaction ends. */
export function claimLockStatement(kind: string): Statement {
  return {
    sql: `SELECT pg_advisory_xact_lock(hashtextextended('landline operations ' || current_schema() || ' ' || $1::text, 0))::text`,
    parameters: [kind],
  };
}

/**
 * What no other worker has come for within a minute. Whoever was through with one of its kind within that minute will come for the next. Nobody waits for
 * a run of the schedule, so it is left to the others for an hour, unless it was begun and left: it would keep all others waiting.
 */
const LEFT_BY_OTHERS = `AND GREATEST(due.created_at, due.lease_until) < clock_timestamp() -
          CASE WHEN due.status = 'planned' AND due.requested_by = '${SCHEDULE}' THEN interval '1 hour' ELSE interval '1 minute' END
        AND NOT EXISTS (SELECT FROM operations d
          WHERE d.kind = $1::text AND d.status IN ('done', 'cancelled', 'failed') AND d.finished_at > clock_timestamp() - interval '1 minute')`;

/**
 * Gives the caller the operation of a kind that is due: the one that runs where its holder has let its lease run out, else the oldest
 * planned one where none runs. The fence goes up, so what the holder before still writes is refused.
 */
export function claimStatement(kind: string, leaseMs: number, isLastResort: boolean): Statement {
  return {
    sql: `
    UPDATE operations AS o SET
      status = 'running',
      started_at = COALESCE(o.started_at, clock_timestamp()),
      updated_at = clock_timestamp(),
      lease_until = clock_timestamp() + $2::text::float8 * interval '1 millisecond',
      fence = o.fence + 1
    WHERE o.id = (
      SELECT due.id FROM operations due
      WHERE due.kind = $1::text ${isLastResort ? LEFT_BY_OTHERS : ''} AND (
        (due.status = 'running' AND due.lease_until <= clock_timestamp())
        OR (due.status = 'planned' AND NOT EXISTS (SELECT FROM operations r WHERE r.kind = $1::text AND r.status = 'running')))
      ORDER BY due.status = 'running' DESC, due.created_at, due.id
      LIMIT 1)
    RETURNING ${OPERATION_COLUMNS}`,
    parameters: [kind, String(leaseMs)],
  };
}

const CHECKPOINT = `NULLIF($7::text, '')::jsonb`;

const progressWith = (checkpoint: string) => `
      total = NULLIF($3::text, '')::bigint,
      done = $4::text::bigint,
      failed = $5::text::bigint,
      message = NULLIF($6::text, ''),
      checkpoint = ${checkpoint},
      updated_at = clock_timestamp()`;

const PROGRESS = progressWith(CHECKPOINT);

const HELD = `o.id = $1::text::uuid AND o.fence = $2::text::bigint AND o.status = 'running'`;

function progressParameters({ id, fence }: Lease, progress: OperationProgress): string[] {
  const { total, done, failed, message, checkpoint } = progress;
  return [
    id,
    String(fence),
    String(total ?? ''),
    String(done),
    String(failed),
    message ?? '',
    checkpoint === null ? '' : JSON.stringify(checkpoint),
  ];
}

/** Writes how far an operation is, and makes the lease longer. No row: somebody else has it, or it has ended. */
export function keepStatement(lease: Lease, progress: OperationProgress, leaseMs: number): Statement {
  return {
    sql: `
    UPDATE operations AS o SET ${PROGRESS},
      lease_until = clock_timestamp() + $8::text::float8 * interval '1 millisecond'
    WHERE ${HELD}
    RETURNING (o.cancel_requested_at IS NOT NULL) AS cancelled`,
    parameters: [...progressParameters(lease, progress), String(leaseMs)],
  };
}

/**
 * What an operation keeps when it ends, however it ends: an erasure must not itself remember whom it has forgotten. The hash stays in its filter.
 */
const LEFT = {
  filter: `CASE WHEN o.kind = 'erase' THEN o.filter - 'subject' ELSE o.filter END`,
  checkpoint: (given: string) => `CASE WHEN o.kind = 'erase' THEN NULL ELSE ${given} END`,
} as const;

/** Ends an operation. No row: see `keepStatement`. */
export function finishStatement(
  lease: Lease,
  progress: OperationProgress,
  status: 'done' | 'cancelled' | 'failed',
): Statement {
  return {
    sql: `
    UPDATE operations AS o SET ${progressWith(LEFT.checkpoint(CHECKPOINT))},
      filter = ${LEFT.filter}, status = $8::text, finished_at = clock_timestamp(), lease_until = NULL
    WHERE ${HELD}
    RETURNING o.id::text`,
    parameters: [...progressParameters(lease, progress), status],
  };
}

/** Gives an operation back: the next worker that asks goes on with it at once. */
export function releaseStatement(lease: Lease, progress: OperationProgress): Statement {
  return {
    sql: `
    UPDATE operations AS o SET ${PROGRESS}, lease_until = clock_timestamp()
    WHERE ${HELD}
    RETURNING o.id::text`,
    parameters: progressParameters(lease, progress),
  };
}

/** Asks for the end of an operation. What no worker has ends at once, and whoever still has it loses it. No row: it has ended before. */
export function cancelStatement(id: string): Statement {
  const hasNoWorker = `(o.status = 'planned' OR o.lease_until <= clock_timestamp())`;
  return {
    sql: `
    UPDATE operations AS o SET
      cancel_requested_at = COALESCE(o.cancel_requested_at, clock_timestamp()),
      updated_at = clock_timestamp(),
      status = CASE WHEN ${hasNoWorker} THEN 'cancelled' ELSE o.status END,
      finished_at = CASE WHEN ${hasNoWorker} THEN clock_timestamp() END,
      fence = CASE WHEN ${hasNoWorker} THEN o.fence + 1 ELSE o.fence END,
      filter = CASE WHEN ${hasNoWorker} THEN ${LEFT.filter} ELSE o.filter END,
      checkpoint = CASE WHEN ${hasNoWorker} THEN ${LEFT.checkpoint('o.checkpoint')} ELSE o.checkpoint END
    WHERE o.id = $1::text::uuid AND o.status IN ('planned', 'running')
    RETURNING ${OPERATION_COLUMNS}`,
    parameters: [id],
  };
}

/** Reads one operation. */
export function getOperationStatement(id: string): Statement {
  return { sql: `SELECT ${OPERATION_COLUMNS} FROM operations o WHERE o.id = $1::text::uuid`, parameters: [id] };
}

/** Tells whether an operation of a kind waits or runs: one row, `is_under_way`. */
export function underWayStatement(kind: string): Statement {
  return {
    sql: `SELECT EXISTS (SELECT FROM operations o WHERE o.kind = $1::text AND o.finished_at IS NULL) AS is_under_way`,
    parameters: [kind],
  };
}

/** Reads the operation of a kind that runs. */
export function runningStatement(kind: string): Statement {
  return {
    sql: `SELECT ${OPERATION_COLUMNS} FROM operations o WHERE o.kind = $1::text AND o.status = 'running'`,
    parameters: [kind],
  };
}

/** Lists operations, the newest first; with a position only those behind it. */
export function listOperationsStatement(limit: number, after: OperationPosition | undefined): Statement {
  const behind = `WHERE (o.created_at, o.id) < (${fromMs('$2::text::float8')}::timestamptz(3), $3::text::uuid)`;
  return {
    sql: `
    SELECT ${OPERATION_COLUMNS} FROM operations o
    ${after === undefined ? '' : behind}
    ORDER BY o.created_at DESC, o.id DESC LIMIT $1::text::int`,
    parameters: [String(limit), ...(after === undefined ? [] : [String(after.createdAt), after.id])],
  };
}
