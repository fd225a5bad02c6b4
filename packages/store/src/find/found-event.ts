import { z } from 'zod';

/** An event as it is listed, without its body. Times in unix milliseconds. */
export interface FoundEvent {
  /** The ledger id, a uuid. */
  id: string;
  eventKey: string | null;
  type: string | null;
  conversationId: string | null;
  eventAt: number;
  receivedAt: number;
  appliedAt: number | null;
  origin: string;
  /** `applied`, `ignored` or `dead`. */
  outcome: string;
  /** Of a dead event: why it is dead, and how many attempts were spent on it. */
  error: { code: string; message: string; attempts: number } | null;
  /** As `body_bytes` of the ledger says. */
  bodyBytes: number;
}

/** Makes unix milliseconds of a timestamptz. */
export function toMs(column: string): string {
  return `(extract(epoch FROM ${column}) * 1000)::float8`;
}

/** The columns of `foundSchema`, of `webhook_events e`. */
export const FOUND_COLUMNS = `e.id::text, e.event_key AS "eventKey", e.type, e.conversation_id AS "conversationId",
      ${toMs('e.event_at')} AS "eventAt", ${toMs('e.received_at')} AS "receivedAt", ${toMs('e.applied_at')} AS "appliedAt",
      e.origin, e.outcome, e.error, e.body_bytes::float8 AS "bodyBytes"`;

/** A row of a listing. */
export const foundSchema = z.object({
  id: z.string(),
  eventKey: z.string().nullable(),
  type: z.string().nullable(),
  conversationId: z.string().nullable(),
  eventAt: z.number(),
  receivedAt: z.number(),
  appliedAt: z.number().nullable(),
  origin: z.string(),
  outcome: z.string(),
  error: z
    .object({
      code: z.string().default('unknown'),
      message: z.string().default(''),
      attempts: z.number().default(0),
    })
    .nullable(),
  bodyBytes: z.number(),
});
