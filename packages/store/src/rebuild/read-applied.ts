import { storedReferenceSchema } from '@landline/webhook/delivery';
import { z } from 'zod';
import { fromMs, plainArray, type Statement } from '../connection/statement.ts';
import type { Run } from '../connection/transactions.ts';
import type { EventPosition } from '../find/filter-conditions.ts';
import { toMs } from '../find/found-event.ts';
import type { StoredBody } from '../find/ledger.ts';
import { BODY_BYTES } from '../ledger/bodies.ts';
import { storedDelivery } from '../ledger/stored-delivery.ts';

/** How much is read at once. */
export interface ReadLimits {
  events: number;
  /** Of the bodies; a larger one is read alone. */
  bytes: number;
}

/** Some applied events of the ledger, in the order of their receipt. */
export interface AppliedEvents {
  bodies: StoredBody[];
  /** The place of the last one; undefined where there are none. */
  last: EventPosition | undefined;
  /** Whether there are more behind them now. */
  isMore: boolean;
}

const rowSchema = z.object({
  id: z.string(),
  receivedAt: z.number(),
  eventAt: z.number(),
  origin: z.string(),
  reference: storedReferenceSchema.nullable(),
  oldBody: z.instanceof(Uint8Array).nullable(),
  isApplied: z.boolean(),
  listed: z.number(),
});

const bodySchema = z.object({ id: z.string(), body: z.instanceof(Uint8Array) });

/**
 * Reads the next applied events behind a place, inside one transaction. The bodies are read by their own key, as a range: that is half as much work for
 * Postgres as to look each of them up.
 */
export async function readApplied(
  run: Run,
  after: EventPosition | undefined,
  limits: ReadLimits,
): Promise<AppliedEvents> {
  const rows = z.array(rowSchema).parse(await run(eventsStatement(after, limits)));
  const [first, last] = [rows.at(0), rows.at(-1)];
  if (first === undefined || last === undefined) return { bodies: [], last: undefined, isMore: false };
  const applied = rows.filter(({ isApplied }) => isApplied);
  const read = z.array(bodySchema).parse(await run(bodiesStatement([first.receivedAt, last.receivedAt], applied)));
  const bodies = new Map(read.map(({ id, body }) => [id, body]));
  return {
    bodies: applied.map(({ oldBody, ...row }) => storedBody({ ...row, body: bodies.get(row.id) ?? oldBody })),
    last: { receivedAt: last.receivedAt, id: last.id },
    isMore: last.listed === limits.events || rows.length < last.listed,
  };
}

function storedBody({
  id,
  body,
  ...stored
}: Omit<z.infer<typeof rowSchema>, 'oldBody'> & { body: Uint8Array | null }): StoredBody {
  if (body === null) return { id, delivery: undefined, body: undefined };
  return { id, delivery: storedDelivery({ ...stored, body }), body };
}

/**
 * Events of all outcomes are listed, for then Postgres takes the index of receipts also where it knows nothing of the ledger yet. A ledger of an older version
 * holds bodies itself until they are moved: see `BODY`.
 */
function eventsStatement(after: EventPosition | undefined, { events, bytes }: ReadLimits): Statement {
  const { receivedAt, id } = after ?? { receivedAt: 0, id: '00000000-0000-0000-0000-000000000000' };
  return {
    sql: `
    SELECT e.id::text, ${toMs('e.received_at')} AS "receivedAt", ${toMs('e.event_at')} AS "eventAt", e.origin,
      e.body_reference AS reference, CASE WHEN e.size > 0 AND e.body_bytes = 0 THEN (to_jsonb(e) ->> 'body')::bytea END AS "oldBody",
      e.outcome = 'applied' AS "isApplied", e.listed::float8
    FROM (
      SELECT e.*, count(*) OVER () AS listed, sum(e.size) OVER (ORDER BY e.received_at, e.id) - e.size AS bytes_before
      FROM (
        SELECT e.*, CASE WHEN e.outcome = 'applied' THEN ${BODY_BYTES} ELSE 0 END AS size FROM webhook_events AS e
        WHERE (e.received_at, e.id) > (${fromMs('$1::text::float8')}::timestamptz(3), $2::text::uuid)
        ORDER BY e.received_at, e.id LIMIT $3::text::int
      ) AS e
    ) AS e
    WHERE e.bytes_before = 0 OR e.bytes_before + e.size <= $4::text::bigint
    ORDER BY e.received_at, e.id`,
    parameters: [String(receivedAt), id, String(events), String(bytes)],
  };
}

/** The ids are looked for among the bodies of the range: with them in its condition, Postgres would walk through the index once for each. */
function bodiesStatement([from, to]: readonly [number, number], events: readonly { id: string }[]): Statement {
  return {
    sql: `
    WITH range AS MATERIALIZED (
      SELECT event_id, body FROM webhook_bodies
      WHERE received_at >= ${fromMs('$1::text::float8')}::timestamptz(3) AND received_at <= ${fromMs('$2::text::float8')}::timestamptz(3)
    )
    SELECT event_id::text AS id, body FROM range WHERE event_id = ANY ($3::uuid[])`,
    parameters: [String(from), String(to), plainArray(events.map(({ id }) => id))],
  };
}
