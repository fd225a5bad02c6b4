import { storedReferenceSchema, type BodyReference } from '@landline/webhook/delivery';
import { z } from 'zod';
import { quoteText } from '../connection/database-url.ts';
import { toMs } from '../find/found-event.ts';
import { BODY, LEDGER_WITH_BODIES, STORED_BYTES } from '../ledger/bodies.ts';
import { readQuery } from './read-query.ts';

/** A row of conversation_recordings. Times in unix milliseconds. */
export interface StoredRecording {
  /** The ledger id of the event whose audio it is. */
  eventId: string;
  /** `file:<path>` or `s3://<bucket>/<key>`; null where the audio was not kept in the storage. */
  url: string | null;
  contentType: string;
  /** Of the decoded audio. */
  bytes: number;
  /** Of the decoded audio, in hex. */
  sha256: string;
  createdAt: number;
  storedAt: number | null;
  deletedAt: number | null;
}

/** An event as the ledger has it. Times in unix milliseconds. */
export interface StoredEvent {
  /** A uuid. */
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
  /** The exact bytes received; with a reference, the envelope. Undefined where they are gone: the day that they came on was dropped. */
  body: Buffer | undefined;
  /** How many bytes `body` has, or had. */
  bodyBytes: number;
  /** Undefined where `body` is the whole body. */
  reference: BodyReference | undefined;
  /**
   * The recordings of its conversation with its audio, as they are now: another event may have brought the same audio, and
   * the storage may have moved.
   */
  recordings: StoredRecording[];
}

/** An event, and of its body the first bytes. */
export interface EventBeginning extends Omit<StoredEvent, 'body'> {
  /** The first bytes of what `StoredEvent` has as `body`; undefined where that is gone. */
  beginning: Buffer | undefined;
}

/**
 * Reads one event of the ledger, as `readQuery` reads.
 *
 * @param databaseUrl  Best the reader's.
 * @param id           The ledger id, a uuid.
 * @returns            undefined where there is no such event.
 * @throws             StoreError with what Postgres says, also for an id that is no uuid.
 */
export async function readEvent(databaseUrl: string, id: string): Promise<StoredEvent | undefined> {
  return readEventRow(await readQuery(databaseUrl, selectEvent(`${quoteText(id)}::uuid`)));
}

/**
 * Makes the statement that reads one event.
 *
 * @param id          SQL: a literal or a parameter.
 * @param firstBytes  SQL: how many bytes of the body are read; Postgres reads no more of it. All by default.
 */
export function selectEvent(id: string, firstBytes?: string): string {
  const body = firstBytes === undefined ? BODY : `substring(${BODY} FROM 1 FOR ${firstBytes})`;
  return `
    SELECT e.id::text, e.event_key, e.type, e.conversation_id, ${toMs('e.event_at')} AS event_ms,
      ${toMs('e.received_at')} AS received_ms, ${toMs('e.applied_at')} AS applied_ms, e.origin, e.outcome, e.error,
      ${body} AS body, ${STORED_BYTES} AS stored_bytes, e.body_bytes, e.body_reference, (
        SELECT COALESCE(jsonb_agg(${RECORDING} ORDER BY r.sha256), '[]')
        FROM conversation_recordings r
        WHERE r.conversation_id = e.conversation_id
          AND (r.event_id = e.id OR r.sha256 = e.body_reference #>> '{recording,sha256}')
      ) AS recordings
    FROM ${LEDGER_WITH_BODIES}
    WHERE e.id = ${id}`;
}

/** Reads what `selectEvent` answered. */
export function readEventRow([row]: readonly unknown[]): StoredEvent | undefined {
  return row === undefined ? undefined : eventOf(rowSchema.parse(row));
}

/** Reads what `selectEvent` answered for some bytes. */
export function readEventBeginning(rows: readonly unknown[]): EventBeginning | undefined {
  const event = readEventRow(rows);
  if (event === undefined) return undefined;
  const { body: beginning, ...rest } = event;
  return { ...rest, beginning };
}

/** A recording as JSON for `recordingSchema`, of `conversation_recordings r`. */
export const RECORDING = `jsonb_build_object(
          'eventId', r.event_id, 'url', r.url, 'contentType', r.content_type, 'bytes', r.bytes, 'sha256', r.sha256,
          'createdAt', ${toMs('r.created_at')}, 'storedAt', ${toMs('r.stored_at')}, 'deletedAt', ${toMs('r.deleted_at')})`;

/** What `RECORDING` makes. */
export const recordingSchema = z.object({
  eventId: z.string(),
  url: z.string().nullable(),
  contentType: z.string(),
  bytes: z.number(),
  sha256: z.string(),
  createdAt: z.number(),
  storedAt: z.number().nullable(),
  deletedAt: z.number().nullable(),
});

const rowSchema = z.object({
  id: z.string(),
  event_key: z.string().nullable(),
  type: z.string().nullable(),
  conversation_id: z.string().nullable(),
  event_ms: z.number(),
  received_ms: z.number(),
  applied_ms: z.number().nullable(),
  origin: z.string(),
  outcome: z.string(),
  error: z
    .object({
      code: z.string().default('unknown'),
      message: z.string().default(''),
      attempts: z.number().default(0),
    })
    .nullable(),
  body: z.instanceof(Uint8Array).nullable(),
  stored_bytes: z.number().nullable(),
  body_bytes: z.number(),
  body_reference: storedReferenceSchema.nullable(),
  recordings: z.array(recordingSchema),
});

function eventOf(row: z.infer<typeof rowSchema>): StoredEvent {
  const { id, type, origin, outcome, error, body, recordings } = row;
  return {
    id,
    eventKey: row.event_key,
    type,
    conversationId: row.conversation_id,
    eventAt: row.event_ms,
    receivedAt: row.received_ms,
    appliedAt: row.applied_ms,
    origin,
    outcome,
    error,
    body: body === null ? undefined : Buffer.from(body.buffer, body.byteOffset, body.byteLength),
    bodyBytes: row.stored_bytes ?? row.body_bytes,
    reference: row.body_reference ?? undefined,
    recordings,
  };
}
