import { isUtf8 } from 'node:buffer';
import type { EventFault, LedgerEntry, NormalisedEvent } from './changes.ts';
import { bodyBytes, type Delivery } from './delivery.ts';
import { unwrap, type Unwrapped } from './envelope.ts';
import { EventFaultError } from './errors.ts';
import { EVENT_TYPES, type EventType } from './event-types.ts';
import { idempotencyKey, signedIdempotencyKey } from './idempotency-key.ts';
import { MAX_JSON_DEPTH, parseJson, type JsonFault } from './json.ts';
import { readEnvelope, type Envelope } from './read-envelope.ts';
import { withoutSecrets } from './without-secrets.ts';

const JSON_FAULTS: Record<JsonFault, string> = {
  body_not_json: 'The body is not JSON.',
  json_too_deep: `The body nests deeper than ${MAX_JSON_DEPTH} levels.`,
};

/**
 * Returns the changes that one delivery makes in the tables. Pure: the same delivery always gives the same changes.
 *
 * @returns  The ledger's row with one of three outcomes; never throws on bad input:
 *           - `applied`: the changes;
 *           - `ignored`: a type that changes no table;
 *           - `dead`: the fault of a body that makes no sense, or the fault in its reference.
 */
export function normalise(delivery: Delivery): NormalisedEvent {
  const body = delivery.encoding === 'utf8' ? delivery.body : bodyBytes(delivery);
  const { reference } = delivery;
  const entry: LedgerEntry = {
    id: reference?.eventId ?? idempotencyKey(body),
    eventKey: null,
    type: null,
    conversationId: null,
    eventAt: delivery.signedAt * 1000,
    delivery,
  };
  if (reference?.fault !== undefined) return deadByReference(entry, body, reference.fault);
  try {
    return apply(entry, readEnvelope(parseBody(body)));
  } catch (error) {
    return { outcome: 'dead', entry, fault: faultOf(error) };
  }
}

/** Returns a dead event with the fault that was found in its whole body, and with what its envelope names. */
function deadByReference(entry: LedgerEntry, body: string | Buffer, fault: EventFault): NormalisedEvent {
  try {
    complete(entry, readEnvelope(parseBody(body)));
  } catch {
    // A fault of the envelope says nothing about the whole body.
  }
  return { outcome: 'dead', entry, fault: { code: fault.code, message: fault.message } };
}

/**
 * Returns the fault of an event that `normalise` could not read. An error of our own fails this event alone, not the
 * other events of its job.
 */
function faultOf(error: unknown): EventFault {
  if (error instanceof EventFaultError) return { code: error.code, message: error.message };
  return { code: 'internal_error', message: `Landline failed to read this event: ${String(error)}` };
}

function parseBody(body: string | Buffer): Unwrapped {
  if (body.length === 0) throw new EventFaultError('body_empty', 'The body is empty.');
  if (typeof body !== 'string' && !isUtf8(body)) {
    throw new EventFaultError('body_not_utf8', 'The body is not valid UTF-8, so it is not JSON.');
  }
  const text = body.toString();
  const parsed = parseJson(text);
  if (!parsed.ok) throw new EventFaultError(parsed.code, JSON_FAULTS[parsed.code]);
  return unwrap(withoutSecrets(parsed.value, text));
}

/** Writes to `entry` what the envelope names. */
function complete(entry: LedgerEntry, envelope: Envelope): void {
  entry.type = envelope.type;
  entry.eventKey = envelope.eventKey;
  entry.eventAt = envelope.time ?? entry.eventAt;
  entry.conversationId = envelope.ids.conversationId;
}

/**
 * Completes `entry` and calls the type's handler. `entry` is filled before anything can throw, so that a dead event has
 * its type and ids too.
 */
function apply(entry: LedgerEntry, envelope: Envelope): NormalisedEvent {
  complete(entry, envelope);
  if (entry.type === null)
    throw new EventFaultError('type_missing', 'The event names no type (type, event_type or event).');
  if (!isEventType(entry.type)) return { outcome: 'ignored', entry };
  const eventType: EventType = EVENT_TYPES[entry.type];
  const { conversationId } = entry;
  if (!envelope.isDataSound) {
    throw new EventFaultError('data_not_object', `The data of a ${entry.type} event is not an object.`);
  }
  if (conversationId === null) {
    throw new EventFaultError(
      'conversation_id_missing',
      `The ${entry.type} event has no conversation_id of 1 to 256 characters, at its top level or in data.`,
    );
  }
  const rowId = eventType.idOf?.(envelope.ids);
  if (eventType.idOf && envelope.time === undefined) identifyByDelivery(entry, rowId);
  const { id, eventAt } = entry;
  const { receivedAt, reference, origin } = entry.delivery;
  const { fields } = envelope.ids;
  const recording = reference?.recording;
  const isFetched = origin === 'backfill';
  const event = { id, receivedAt, isFetched, rowId: rowId ?? id, conversationId, eventAt, fields, recording };
  return { outcome: 'applied', entry, changes: eventType.handle(event), done: eventType.done };
}

/**
 * Gives a live event without a time the time and, where it names no id, the id of its delivery.
 *
 * - Time: the second of its signature, and within that second its receipt. So events of one second keep the order of
 *   their receipt.
 * - Id: includes the second of its signature, because the same bytes may be the same word said twice.
 */
function identifyByDelivery(entry: LedgerEntry, rowId: string | undefined): void {
  const { signedAt, receivedAt, reference } = entry.delivery;
  const second = signedAt * 1000;
  entry.eventAt = Math.max(second, Math.min(receivedAt, second + 999));
  // An envelope is not the whole body, so no key can be made of it.
  if (rowId === undefined && reference === undefined) {
    entry.id = signedIdempotencyKey(bodyBytes(entry.delivery).toString(), signedAt);
  }
}

function isEventType(type: string): type is keyof typeof EVENT_TYPES {
  return Object.hasOwn(EVENT_TYPES, type);
}
