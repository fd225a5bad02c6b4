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
import { computedFingerprint } from '../find/failure-fingerprint.ts';
import { LEDGER_WITH_BODIES } from './bodies.ts';

/** An event that cannot be applied, and why. */
export interface DeadEvent {
  entry: LedgerEntry;
  fault: EventFault;
  /** How many attempts were spent on it since it was last recorded. */
  attempts: number;
}

/** What the statements that record events return of an event. */
export interface RecordedRow {
  /** The ledger's. */
  id: string;
  /** Whether the ledger had the event before, and this delivery gives it another chance: its body may be gone since. */
  isRevived: boolean;
  /** Of one that is revived to be applied: the receipt that the ledger keeps, in unix milliseconds. Undefined for all others. */
  receivedAt: number | undefined;
  /** The same of its origin: whether what came first was fetched from the provider. */
  isFetched: boolean | undefined;
}

/** How to record events. */
export interface RecordOptions {
  /**
   * Whether a body may be there though its event is new to the ledger: somebody has deleted a row by hand. It costs each event a little more, so the
   * transaction is repeated like that only where Postgres finds such a body (23505): see `withBodies`.
   */
  mayHaveBodies?: boolean;
}

/**
 * Records events in the ledger, with the bodies of new ones beside it. It returns the duplicates, and those that are revived. All but the duplicates
 * are to be applied now: the new ones, the dead ones that get another chance, and those that an older version ignored and this one knows.
 * Both kinds are few, and what is returned has to be read. Postgres refuses the statement (23514) where a body's day has no partition.
 *
 * @param entries  At most one for an id, sorted by id.
 */
export function recordStatement(
  entries: readonly { entry: LedgerEntry; outcome: 'applied' | 'ignored' }[],
  { mayHaveBodies = false }: RecordOptions = {},
): Statement {
  return {
    sql: mayHaveBodies ? RECORD.amongBodies : RECORD.usual,
    parameters: [...entryColumns(entries.map(({ entry }) => entry)), plainArray(entries.map(({ outcome }) => outcome))],
  };
}

/**
 * Records dead events, with the bodies of new ones, and returns those that are dead now: not one that was applied in the meantime. Like
 * `recordStatement`, it needs the partitions of the bodies' days.
 *
 * @param events  At most one for an id, sorted by id.
 */
export function recordDeadStatement(
  events: readonly DeadEvent[],
  { mayHaveBodies = false }: RecordOptions = {},
): Statement {
  return {
    sql: mayHaveBodies ? RECORD_DEAD.amongBodies : RECORD_DEAD.usual,
    parameters: [
      ...entryColumns(events.map(({ entry }) => entry)),
      textArray(
        events.map(({ fault, attempts }) => json({ code: fault.code, message: storable(fault.message), attempts })),
      ),
    ],
  };
}

/** Asks which of these events of the ledger have no body any more; a row with the `id` of each. */
export function lackingBodiesStatement(ids: readonly string[]): Statement {
  return {
    sql: `SELECT e.id::text FROM ${LEDGER_WITH_BODIES} WHERE e.id = ANY($1::uuid[]) AND b.body IS NULL`,
    parameters: [plainArray(ids)],
  };
}

/**
 * Writes the bodies of events that were in the ledger before. A body lies under the time of receipt that the ledger has: that of the delivery which
 * came first. Where this delivery has another part of the whole body in its envelope, it does not fit the reference that the ledger has: then
 * the body stays gone.
 */
export function keepBodiesStatement(entries: readonly LedgerEntry[]): Statement {
  const bodies = joinBodies(entries.map(({ delivery }) => delivery));
  return {
    sql: `
    INSERT INTO webhook_bodies (received_at, event_id, body)
    SELECT e.received_at, e.id, substring($4::bytea FROM s.body_at FOR s.body_length)
    FROM unnest($1::uuid[], $2::int[], $3::int[]) AS s (id, body_at, body_length) JOIN webhook_events AS e USING (id)
    WHERE e.type IS DISTINCT FROM '${CANARY_TYPE}' AND e.body_bytes = s.body_length
    ON CONFLICT (received_at, event_id) DO NOTHING`,
    parameters: [
      plainArray(entries.map(({ id }) => id)),
      plainArray(bodies.at),
      plainArray(bodies.lengths),
      bodies.bytes,
    ],
  };
}

/** What `recordStatement` or `recordDeadStatement` returned. */
export function readRecorded(rows: readonly Record<string, unknown>[]): RecordedRow[] {
  return rows.map(({ id, is_revived: isRevived, received_at: receivedAt, is_fetched: isFetched }) => ({
    id: String(id),
    isRevived: isRevived === true,
    receivedAt: typeof receivedAt === 'number' ? receivedAt : undefined,
    isFetched: typeof isFetched === 'boolean' ? isFetched : undefined,
  }));
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

// `xmax` is 0 in a row that this statement inserted, and not in one that it updated.
const RETURNED = 'id, type, received_at, origin, xmax <> 0 AS is_revived';

const KEEP_BODIES = `
      INSERT INTO webhook_bodies (received_at, event_id, body)
      SELECT r.received_at, r.id, substring($10::bytea FROM s.body_at FOR s.body_length)
      FROM recorded AS r JOIN unnest($1::uuid[], $8::int[], $9::int[]) AS s (id, body_at, body_length) USING (id)
      WHERE NOT r.is_revived AND r.type IS DISTINCT FROM '${CANARY_TYPE}'`;

/** A statement in both forms: see `RecordOptions`. */
function inBothForms(sql: (keepBodies: string) => string): { usual: string; amongBodies: string } {
  const amongBodies = `${KEEP_BODIES}
      ON CONFLICT (received_at, event_id) DO NOTHING`;
  return { usual: sql(KEEP_BODIES), amongBodies: sql(amongBodies) };
}

const RECORD = inBothForms(
  (keepBodies) => `
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
      WHERE t.outcome = 'dead' OR (t.outcome = 'ignored' AND EXCLUDED.outcome = 'applied' AND t.error IS NULL)
      RETURNING ${RETURNED}
    ), kept AS (${keepBodies}
    )
    SELECT sent.id::text, false AS is_revived, NULL::float8 AS received_at, NULL::boolean AS is_fetched
    FROM unnest($1::uuid[]) AS sent (id) WHERE sent.id NOT IN (SELECT id FROM recorded)
    UNION ALL SELECT id::text, true, (extract(epoch FROM received_at) * 1000)::float8, origin = 'backfill' FROM recorded WHERE is_revived`,
);

/**
 * What the ledger adds to a fault. `at` says when the event died, by the database's clock: `known_failures` is compared with it, and the time of receipt
 * says nothing of that. `fingerprint` names its group: to compute it for each dead event of a list would take seconds.
 */
const ADDED = `jsonb_build_object(
        'at', round(extract(epoch FROM clock_timestamp()) * 1000), 'fingerprint', ${computedFingerprint('e.error::jsonb')})`;

const RECORD_DEAD = inBothForms(
  (keepBodies) => `
    WITH recorded AS (
      INSERT INTO webhook_events AS t (${COLUMNS}, outcome, error)
      SELECT ${SELECTED}, 'dead', e.error::jsonb || ${ADDED}
      FROM unnest(${ARRAYS}) AS e (${SENT}, error)
      ON CONFLICT (id) DO UPDATE SET
        outcome = 'dead',
        error = EXCLUDED.error || jsonb_build_object(
          'attempts', COALESCE((t.error ->> 'attempts')::int, 0) + (EXCLUDED.error ->> 'attempts')::int)
      WHERE t.outcome <> 'applied' AND NOT (t.outcome = 'ignored' AND t.error IS NOT NULL)
      RETURNING ${RETURNED}
    ), kept AS (${keepBodies}
    )
    SELECT id::text, is_revived FROM recorded`,
);
