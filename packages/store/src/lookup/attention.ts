import { z } from 'zod';
import type { Statement } from '../connection/statement.ts';
import { toMs } from '../find/found-event.ts';

/** How far things are counted: one more says that there are more. The console asks every two seconds. */
export const MOST_COUNTED = 10_000;

/** How many operations are looked at, the latest. */
export const MOST_OPERATIONS = 1_000;

/** How many comparisons with the provider are looked at, the latest. */
const MOST_RUNS = 1_000;

/** Workers look at the provider's side every five minutes. What an older look has found says nothing of now, in minutes. */
const LOOK_STANDS_MINUTES = 30;

/** Operations of one kind that failed in the last 24 hours, and that no later one has made good. */
export interface FailedOperations {
  kind: string;
  count: number;
  /** The id of the newest, and why that one failed. */
  id: string;
  message: string | null;
}

/** What of the database may need somebody. Times in unix milliseconds. */
export interface Attention {
  /** Dead events of the ledger, those of known failures included; `MOST_COUNTED` and one at most. */
  dead: number;
  /** When the oldest of them was received; null where there is none. */
  deadSince: number | null;
  /**
   * Operations that failed in the last 24 hours, of the latest 1,000, by kind; the kind with the newest failure first. One is left out where a later one of
   * its kind is done. Where it was about one person or one conversation, the later one must be about the same. Left out as well is what needs nobody, as it is about a
   * conversation that is erased, unfetchable, complete or unknown by now: see `MOOT`.
   */
  failedOperations: readonly FailedOperations[];
  /** Requests that were refused in the last 24 hours and were not readmitted, by cause. */
  rejectedLately: Readonly<Record<string, number>>;
  /** Files that the storage was to lose, and could not so far; `MOST_COUNTED` and one at most. */
  recordingsToRemoveFailing: number;
  operationsRunning: number;
  /** Operations that wait for a worker, of the latest 1,000. */
  operationsPlanned: number;
  /** Conversations of which something never came, and was not fetched so far; none that was erased. `MOST_COUNTED` and one at most. */
  missing: number;
  /** The faults that the newest look at the provider's side has found, each in a sentence; none where it is older than 30 minutes. */
  providerFaults: readonly string[];
  /** When a comparison with the provider ended well last, of the latest 1,000; where none has, when the first of these began. Null: none was ever made. */
  reconciledAt: number | null;
  /** How often the workers compare, in milliseconds, as the newest look at the provider's side says it; null where it says nothing. */
  reconcileEveryMs: number | null;
}

/** The one person or conversation that an operation is about; null: it is about neither. */
const SUBJECT = `COALESCE(filter ->> 'subject_hash', filter ->> 'conversation')`;

/**
 * Whether a failure of `operations o` needs nobody, because its conversation is erased by now. So it is with a fetch:
 *
 * - whose conversation is unfetchable by now;
 * - that asked ElevenLabs, and got nothing, and the conversation is complete all the same, or nothing of it is here. A comparison makes the row of a call that
 *   ElevenLabs lists.
 */
const MOOT = `(o.kind = 'fetch-conversation' AND o.failed > 0
          AND NOT EXISTS (SELECT FROM conversations AS c WHERE c.id = o.filter ->> 'conversation')
          OR EXISTS (SELECT FROM conversations AS c WHERE c.id = o.filter ->> 'conversation' AND (c.erased_at IS NOT NULL
            OR o.kind = 'fetch-conversation' AND (c.completeness = 'unfetchable' OR o.failed > 0 AND c.completeness = 'complete'))))`;

/** A row of each kind in `failedOperations`. */
const FAILED_OPERATIONS = `
        SELECT o.kind, count(*) AS count, (array_agg(o.id ORDER BY o.finished_at DESC))[1] AS id,
          (array_agg(o.message ORDER BY o.finished_at DESC))[1] AS message, max(o.finished_at) AS at
        FROM (
          SELECT *, max(finished_at) FILTER (WHERE status = 'done') OVER (PARTITION BY kind, ${SUBJECT}) AS mended_at
          FROM (SELECT * FROM operations ORDER BY created_at DESC, id DESC LIMIT ${MOST_OPERATIONS}) AS o) AS o
        WHERE o.status = 'failed' AND o.finished_at > clock_timestamp() - interval '24 hours'
          AND COALESCE(o.mended_at <= o.finished_at, true) AND NOT ${MOOT}
        GROUP BY o.kind`;

/** Counts it all, in one row. Each count reads an index, or is bounded. */
export const ATTENTION: Statement = {
  sql: `
    SELECT d.dead, s.since AS "deadSince", w.failed AS "failedOperations", r.running AS "operationsRunning", o.planned AS "operationsPlanned",
      c.causes AS "rejectedLately", f.failing AS "recordingsToRemoveFailing", m.missing, p.faults AS "providerFaults",
      g.at AS "reconciledAt", p."everyMs" AS "reconcileEveryMs"
    FROM (SELECT count(*)::float8 AS dead FROM (
        SELECT FROM webhook_events e WHERE e.outcome = 'dead' ORDER BY e.received_at LIMIT ${MOST_COUNTED + 1}) AS e) AS d,
      (SELECT ${toMs('min(e.received_at)')} AS since FROM webhook_events e WHERE e.outcome = 'dead') AS s,
      (SELECT COALESCE(jsonb_agg(jsonb_build_object('kind', w.kind, 'count', w.count, 'id', w.id, 'message', w.message)
          ORDER BY w.at DESC, w.kind), '[]') AS failed FROM (${FAILED_OPERATIONS}) AS w) AS w,
      (SELECT count(*) FILTER (WHERE o.status = 'planned')::float8 AS planned
        FROM (SELECT status FROM operations ORDER BY created_at DESC, id DESC LIMIT ${MOST_OPERATIONS}) AS o) AS o,
      (SELECT count(*)::float8 AS running FROM operations WHERE status = 'running') AS r,
      (SELECT COALESCE(jsonb_object_agg(c.cause, c.requests), '{}') AS causes FROM (
        SELECT cause, count(*) AS requests FROM rejected_requests
        WHERE received_at > clock_timestamp() - interval '24 hours' AND readmitted_at IS NULL GROUP BY cause) AS c) AS c,
      (SELECT count(*)::float8 AS failing FROM (
        SELECT FROM recordings_to_remove WHERE tries > 0 LIMIT ${MOST_COUNTED + 1}) AS f) AS f,
      (SELECT count(*)::float8 AS missing FROM (
        SELECT FROM conversations WHERE completeness = 'missing' AND erased_at IS NULL LIMIT ${MOST_COUNTED + 1}) AS m) AS m,
      (SELECT COALESCE(jsonb_agg(jsonb_path_query_array(c.result, '$.findings[*] ? (@.level == "fault").what ? (@.type() == "string")'))
          FILTER (WHERE c.saved_at > clock_timestamp() - interval '${LOOK_STANDS_MINUTES} minutes'), '[]') AS faults,
          max((jsonb_path_query_first(c.result, '$.reconcileEveryMs ? (@.type() == "number")'))::float8) AS "everyMs"
        FROM provider_checks AS c WHERE c.result IS NOT NULL) AS p,
      (SELECT COALESCE(${toMs('max(r.finished_at) FILTER (WHERE r.error IS NULL)')}, ${toMs('min(r.started_at)')}) AS at FROM (
        SELECT started_at, finished_at, error FROM reconciliations ORDER BY started_at DESC, id DESC LIMIT ${MOST_RUNS}) AS r) AS g`,
  parameters: [],
};

const attentionSchema = z.tuple([
  z.object({
    dead: z.number(),
    deadSince: z.number().nullable(),
    failedOperations: z.array(
      z.object({ kind: z.string(), count: z.number(), id: z.string(), message: z.string().nullable() }),
    ),
    rejectedLately: z.record(z.string(), z.number()),
    recordingsToRemoveFailing: z.number(),
    operationsRunning: z.number(),
    operationsPlanned: z.number(),
    missing: z.number(),
    // One list for each row, of which there is one at most.
    providerFaults: z.array(z.array(z.string())).transform((lists) => lists.flat()),
    reconciledAt: z.number().nullable(),
    reconcileEveryMs: z.number().nullable(),
  }),
]);

/** Reads what `ATTENTION` answered. */
export function readAttention(rows: unknown): Attention {
  return attentionSchema.parse(rows)[0];
}
