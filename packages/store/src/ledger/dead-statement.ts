import type { EventFault } from '@landline/webhook/changes';
import { storedReferenceSchema, type Delivery } from '@landline/webhook/delivery';
import { z } from 'zod';
import { fromMs, plainArray, type Statement } from '../connection/statement.ts';
import { BODY, BODY_BYTES, LEDGER_WITH_BODIES } from './bodies.ts';
import { storedDelivery } from './stored-delivery.ts';

/** A dead event's place in the ledger: dead events are listed in this order. */
export interface DeadPosition {
  /** Unix milliseconds. */
  receivedAt: number;
  /** The ledger's id, a uuid. */
  id: string;
}

/** A dead event as it is listed, without its body. */
export interface DeadListing extends DeadPosition {
  /** Of the body as `readDead` reads it: of its envelope, where it has a reference. */
  bytes: number;
}

/** A dead event as the ledger keeps it. */
export interface DeadRecord {
  id: string;
  /**
   * As the receiver made it, but for the name of the secret, which the ledger does not keep. Undefined where the body is gone: the day that
   * it came on was dropped.
   */
  delivery: Delivery | undefined;
  /** Why it is dead. */
  fault: EventFault;
  /** How many attempts were spent on it in all. */
  attempts: number;
}

/** Lists the dead events behind a position, the oldest first; the index of the dead has them in this order. */
export function listDeadStatement(after: DeadPosition | undefined, limit: number): Statement {
  const { receivedAt, id } = after ?? { receivedAt: 0, id: '00000000-0000-0000-0000-000000000000' };
  return {
    sql: `
    SELECT id::text, ${toMs('received_at')} AS "receivedAt", ${BODY_BYTES} AS bytes
    FROM webhook_events AS e
    WHERE outcome = 'dead' AND (received_at, id) > (${fromMs('$1::text::float8')}::timestamptz(3), $2::text::uuid)
    ORDER BY received_at, id
    LIMIT $3::text::int`,
    parameters: [String(receivedAt), id, String(limit)],
  };
}

/** Reads those of these events that are dead, with the bodies that are there. */
export function readDeadStatement(ids: readonly string[]): Statement {
  return {
    sql: `
    SELECT e.id::text, ${toMs('e.received_at')} AS "receivedAt", ${toMs('e.event_at')} AS "eventAt", ${BODY} AS body,
      e.body_reference AS reference, e.origin, COALESCE(e.error ->> 'code', 'unknown') AS code,
      COALESCE(e.error ->> 'message', '') AS message, COALESCE((e.error ->> 'attempts')::int, 0) AS attempts
    FROM ${LEDGER_WITH_BODIES}
    WHERE e.id = ANY ($1::uuid[]) AND e.outcome = 'dead'
    ORDER BY e.received_at, e.id`,
    parameters: [plainArray(ids)],
  };
}

/** Asks whether an event is dead: one row if it is. */
export function isDeadStatement(id: string): Statement {
  return {
    sql: `SELECT id::text FROM webhook_events WHERE id = $1::text::uuid AND outcome = 'dead'`,
    parameters: [id],
  };
}

/** Counts the dead events; the index of the dead has no others. */
export function countDeadStatement(): Statement {
  return { sql: `SELECT count(*)::int AS dead FROM webhook_events WHERE outcome = 'dead'`, parameters: [] };
}

function toMs(column: string): string {
  return `(extract(epoch FROM ${column}) * 1000)::float8`;
}

const listingSchema = z.object({ id: z.string(), receivedAt: z.number(), bytes: z.number() });
const countSchema = z.tuple([z.object({ dead: z.number() })]);
const recordSchema = z.object({
  id: z.string(),
  receivedAt: z.number(),
  eventAt: z.number(),
  body: z.instanceof(Uint8Array).nullable(),
  reference: storedReferenceSchema.nullable(),
  origin: z.string(),
  code: z.string(),
  message: z.string(),
  attempts: z.number(),
});

/** What `listDeadStatement` returned. */
export function readListings(rows: readonly unknown[]): DeadListing[] {
  return z.array(listingSchema).parse(rows);
}

/** What `readDeadStatement` returned. */
export function readRecords(rows: readonly unknown[]): DeadRecord[] {
  return z.array(recordSchema).parse(rows).map(recordOf);
}

/** What `countDeadStatement` returned. */
export function readCount(rows: readonly unknown[]): number {
  return countSchema.parse(rows)[0].dead;
}

function recordOf({ id, body, code, message, attempts, ...stored }: z.infer<typeof recordSchema>): DeadRecord {
  const delivery = body === null ? undefined : storedDelivery({ ...stored, body });
  return { id, delivery, fault: { code, message }, attempts };
}
