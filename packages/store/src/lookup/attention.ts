import { z } from 'zod';
import type { Statement } from '../connection/statement.ts';
import { toMs } from '../find/found-event.ts';

/** How far things are counted: one more says that there are more. The console asks every two seconds. */
export const MOST_COUNTED = 10_000;

/** How many operations are looked at, the latest. */
const MOST_OPERATIONS = 1_000;

/** What of the database may need somebody. Times in unix milliseconds. */
export interface Attention {
  /** Dead events of the ledger, those of known failures included; `MOST_COUNTED` and one at most. */
  dead: number;
  /** When the oldest of them was received; null where there is none. */
  deadSince: number | null;
  /** Operations that failed in the last 24 hours, of the latest 1,000. */
  failedOperations: number;
  /** Requests that were refused in the last 24 hours and were not readmitted, by cause. */
  rejectedLately: Readonly<Record<string, number>>;
  /** Files that the storage was to lose, and could not so far; `MOST_COUNTED` and one at most. */
  recordingsToRemoveFailing: number;
  operationsRunning: number;
  /** Operations that wait for a worker, of the latest 1,000. */
  operationsPlanned: number;
}

/** Counts it all, in one row. Each count reads an index, or is bounded. */
export const ATTENTION: Statement = {
  sql: `
    SELECT d.dead, s.since AS "deadSince", o.failed AS "failedOperations", r.running AS "operationsRunning", o.planned AS "operationsPlanned",
      c.causes AS "rejectedLately", f.failing AS "recordingsToRemoveFailing"
    FROM (SELECT count(*)::float8 AS dead FROM (
        SELECT FROM webhook_events e WHERE e.outcome = 'dead' ORDER BY e.received_at LIMIT ${MOST_COUNTED + 1}) AS e) AS d,
      (SELECT ${toMs('min(e.received_at)')} AS since FROM webhook_events e WHERE e.outcome = 'dead') AS s,
      (SELECT count(*) FILTER (WHERE o.status = 'failed' AND o.finished_at > clock_timestamp() - interval '24 hours')::float8 AS failed,
          count(*) FILTER (WHERE o.status = 'planned')::float8 AS planned
        FROM (SELECT status, finished_at FROM operations ORDER BY created_at DESC, id DESC LIMIT ${MOST_OPERATIONS}) AS o) AS o,
      (SELECT count(*)::float8 AS running FROM operations WHERE status = 'running') AS r,
      (SELECT COALESCE(jsonb_object_agg(c.cause, c.requests), '{}') AS causes FROM (
        SELECT cause, count(*) AS requests FROM rejected_requests
        WHERE received_at > clock_timestamp() - interval '24 hours' AND readmitted_at IS NULL GROUP BY cause) AS c) AS c,
      (SELECT count(*)::float8 AS failing FROM (
        SELECT FROM recordings_to_remove WHERE tries > 0 LIMIT ${MOST_COUNTED + 1}) AS f) AS f`,
  parameters: [],
};

const attentionSchema = z.tuple([
  z.object({
    dead: z.number(),
    deadSince: z.number().nullable(),
    failedOperations: z.number(),
    rejectedLately: z.record(z.string(), z.number()),
    recordingsToRemoveFailing: z.number(),
    operationsRunning: z.number(),
    operationsPlanned: z.number(),
  }),
]);

/** Reads what `ATTENTION` answered. */
export function readAttention(rows: unknown): Attention {
  return attentionSchema.parse(rows)[0];
}
