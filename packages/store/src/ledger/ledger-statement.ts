import { CANARY_TYPE } from '@landline/webhook/canary';
import type { EventFault, LedgerEntry } from '@landline/webhook/changes';
import { bodyLength, type BodyReference, type DeliveryBody } from '@landline/webhook/delivery';
import {
  fromMs,
  json,
  milliseconds,
  plainArray,
  textArray,
  type Parameter,
  type Statement,
} from '../connection/statement.ts';

/** An event that cannot be applied, and why. */
export interface DeadEvent {
  entry: LedgerEntry;
  fault: EventFault;
  /** How many attempts were spent on it since it was last recorded. */
  attempts: number;
}

/**
 * Records events in the ledger, with their bodies beside it, and returns the ids of the duplicates. All others are to be applied now: the
 * new ones, the dead ones that get another chance, and those that an older version ignored and this one knows. Duplicates are few, and
 * what is returned has to be read. Postgres refuses the statement (23514) where a body's day has no partition: see `withPartitions`.
 *
 * @param entries  At most one for an id, sorted by id.
 */
export function recordStatement(entries: readonly { entry: LedgerEntry; outcome: 'applied' | 'ignored' }[]): Statement {
  return {
    sql: RECORD,
    parameters: [...entryColumns(entries.map(({ entry }) => entry)), plainArray(entries.map(({ outcome }) => outcome))],
  };
}

/**
 * Records dead events, with their bodies, and returns the ids of those that are dead now: not of one that was applied in the meantime.
 * Like `recordStatement`, it needs the partitions of the bodies' days.
 *
 * @param events  At most one for an id, sorted by id.
 */
export function recordDeadStatement(events: readonly DeadEvent[]): Statement {
  return {
    sql: RECORD_DEAD,
    parameters: [
      ...entryColumns(events.map(({ entry }) => entry)),
      textArray(
        events.map(({ fault, attempts }) => json({ code: fault.code, message: storable(fault.message), attempts })),
      ),
    ],
  };
}

/** Takes events out of the ledger again. For canaries alone, whose bodies are not kept. */
export function forgetStatement(ids: readonly string[]): Statement {
  return { sql: 'DELETE FROM webhook_events WHERE id = ANY($1::uuid[])', parameters: [plainArray(ids)] };
}

/** A text may quote the event, whatever that holds. No jsonb holds U+0000 or half of a surrogate pair. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}

function entryColumns(entries: readonly LedgerEntry[]): Parameter[] {
  const bodies = joinBodies(entries.map(({ delivery }) => delivery));
  return [
    plainArray(entries.map((e) => e.id)),
    textArray(entries.map((e) => e.eventKey)),
    textArray(entries.map((e) => e.type)),
    textArray(entries.map((e) => e.conversationId)),
    plainArray(entries.map((e) => milliseconds(e.eventAt))),
    plainArray(entries.map((e) => milliseconds(e.delivery.receivedAt))),
    plainArray(entries.map((e) => e.delivery.origin ?? 'webhook')),
    plainArray(bodies.at),
    plainArray(bodies.lengths),
    bodies.bytes,
    textArray(entries.map((e) => referenceText(e.delivery.reference))),
  ];
}

/** The text of a body's reference for a jsonb column; null where the body is whole. */
function referenceText(reference: BodyReference | undefined): string | null {
  if (reference === undefined) return null;
  return JSON.stringify(reference, (_, value: unknown) => (typeof value === 'string' ? storable(value) : value));
}

interface JoinedBodies {
  bytes: Buffer;
  /** Where each body begins; Postgres counts from 1. */
  at: number[];
  lengths: number[];
}

/** Writes each body straight to its place, so that no second copy of all of them is ever there. */
function joinBodies(bodies: readonly DeliveryBody[]): JoinedBodies {
  const bytes = Buffer.allocUnsafe(bodies.reduce((sum, body) => sum + bodyLength(body), 0));
  const at: number[] = [];
  let end = 0;
  const lengths = bodies.map(({ body, encoding }) => {
    at.push(end + 1);
    const length = bytes.write(body, end, encoding);
    end += length;
    return length;
  });
  return { bytes: bytes.subarray(0, end), at, lengths };
}

// The bodies travel as one value of raw bytes and are cut apart there: as array elements, they would have to be escaped
// and read character by character.
const COLUMNS = 'id, event_key, type, conversation_id, event_at, received_at, origin, body_bytes, body_reference';
const SELECTED = `e.id, e.event_key, e.type, e.conversation_id, ${fromMs('e.event_at')}, ${fromMs('e.received_at')},
      e.origin, e.body_bytes, e.body_reference::jsonb`;
const ARRAYS = `$1::uuid[], $2::text[], $3::text[], $4::text[], $5::float8[], $6::float8[], $7::text[], $9::int[],
      $11::text[], $12::text[]`;
const SENT = 'id, event_key, type, conversation_id, event_at, received_at, origin, body_bytes, body_reference';

// A body lies under the time of receipt that the ledger has: that of the delivery which came first. A row of the ledger that is written
// again has its body already, and keeps it; where retention has taken that body, this delivery's takes its place. What is a duplicate
// writes no body.
const KEEP_BODIES = `
      INSERT INTO webhook_bodies (received_at, event_id, body)
      SELECT r.received_at, r.id, substring($10::bytea FROM s.body_at FOR s.body_length)
      FROM recorded AS r JOIN unnest($1::uuid[], $8::int[], $9::int[]) AS s (id, body_at, body_length) USING (id)
      WHERE r.type IS DISTINCT FROM '${CANARY_TYPE}'
      ON CONFLICT (received_at, event_id) DO NOTHING`;

const RECORD = `
    WITH recorded AS (
      INSERT INTO webhook_events AS t (${COLUMNS}, outcome, applied_at)
      SELECT ${SELECTED}, e.outcome, CASE e.outcome WHEN 'applied' THEN now() END
      FROM unnest(${ARRAYS}) AS e (${SENT}, outcome)
      ON CONFLICT (id) DO UPDATE SET
        event_key = EXCLUDED.event_key,
        type = EXCLUDED.type,
        conversation_id = EXCLUDED.conversation_id,
        event_at = EXCLUDED.event_at,
        outcome = EXCLUDED.outcome,
        applied_at = EXCLUDED.applied_at,
        error = NULL
      WHERE t.outcome = 'dead' OR (t.outcome = 'ignored' AND EXCLUDED.outcome = 'applied')
      RETURNING id, type, received_at
    ), kept AS (${KEEP_BODIES}
    )
    SELECT sent.id::text FROM unnest($1::uuid[]) AS sent (id) WHERE sent.id NOT IN (SELECT id FROM recorded)`;

const RECORD_DEAD = `
    WITH recorded AS (
      INSERT INTO webhook_events AS t (${COLUMNS}, outcome, error)
      SELECT ${SELECTED}, 'dead', e.error::jsonb
      FROM unnest(${ARRAYS}) AS e (${SENT}, error)
      ON CONFLICT (id) DO UPDATE SET
        outcome = 'dead',
        error = EXCLUDED.error || jsonb_build_object(
          'attempts', COALESCE((t.error ->> 'attempts')::int, 0) + (EXCLUDED.error ->> 'attempts')::int)
      WHERE t.outcome <> 'applied'
      RETURNING id, type, received_at
    ), kept AS (${KEEP_BODIES}
    )
    SELECT id::text FROM recorded`;
