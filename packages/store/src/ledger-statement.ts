import type { EventFault, LedgerEntry } from '@landline/webhook';
import { json, timestamp, type Parameter, type Statement } from './statement.ts';

/** An event that cannot be applied, and why. */
export interface DeadEvent {
  entry: LedgerEntry;
  fault: EventFault;
  /** How many attempts were spent on it since it was last recorded. */
  attempts: number;
}

/**
 * Records events in the ledger and returns the ids of those that are to be applied now: the new ones, the dead ones
 * that get another chance, and those that an older version ignored and this one knows.
 *
 * @param entries  At most one for an id, sorted by id.
 */
export function recordStatement(entries: readonly { entry: LedgerEntry; outcome: 'applied' | 'ignored' }[]): Statement {
  return {
    sql: RECORD,
    parameters: [...entryColumns(entries.map(({ entry }) => entry)), entries.map(({ outcome }) => outcome)],
  };
}

/**
 * Records dead events and returns the ids of those that are dead now: not of one that was applied in the meantime.
 *
 * @param events  At most one for an id, sorted by id.
 */
export function recordDeadStatement(events: readonly DeadEvent[]): Statement {
  return {
    sql: RECORD_DEAD,
    parameters: [
      ...entryColumns(events.map(({ entry }) => entry)),
      events.map(({ fault, attempts }) => json({ code: fault.code, message: storable(fault.message), attempts })),
    ],
  };
}

/** An error's message may quote the event, whatever that holds. */
function storable(message: string): string {
  return message.toWellFormed().replaceAll('\0', '\ufffd');
}

function entryColumns(entries: readonly LedgerEntry[]): Parameter[][] {
  const bodies = entries.map(bodyColumns);
  return [
    entries.map((e) => e.id),
    entries.map((e) => e.eventKey),
    entries.map((e) => e.type),
    entries.map((e) => e.conversationId),
    entries.map((e) => timestamp(e.eventAt)),
    entries.map((e) => timestamp(e.receivedAt)),
    entries.map((e) => e.origin),
    bodies.map((body) => body.text),
    bodies.map((body) => body.base64),
  ];
}

/** A body travels as text, which costs a third of bytea's hex, unless it is none that Postgres takes. */
function bodyColumns({ encoding, body }: LedgerEntry): { text: Parameter; base64: Parameter } {
  if (encoding === 'base64') return { text: null, base64: body };
  return body.includes('\0')
    ? { text: null, base64: Buffer.from(body, 'utf8').toString('base64') }
    : { text: body, base64: null };
}

const COLUMNS = 'id, event_key, type, conversation_id, event_at, received_at, origin, body';
const SELECTED = `e.id, e.event_key, e.type, e.conversation_id, e.event_at, e.received_at, e.origin,
      COALESCE(convert_to(e.body_text, 'UTF8'), decode(e.body_base64, 'base64'))`;
const ARRAYS = `$1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::text[],
      $8::text[], $9::text[], $10::text[]`;
const SENT = 'id, event_key, type, conversation_id, event_at, received_at, origin, body_text, body_base64';

const RECORD = `
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
    RETURNING id::text`;

const RECORD_DEAD = `
    INSERT INTO webhook_events AS t (${COLUMNS}, outcome, error)
    SELECT ${SELECTED}, 'dead', e.error::jsonb
    FROM unnest(${ARRAYS}) AS e (${SENT}, error)
    ON CONFLICT (id) DO UPDATE SET
      outcome = 'dead',
      error = EXCLUDED.error || jsonb_build_object(
        'attempts', COALESCE((t.error ->> 'attempts')::int, 0) + (EXCLUDED.error ->> 'attempts')::int)
    WHERE t.outcome <> 'applied'
    RETURNING id::text`;
