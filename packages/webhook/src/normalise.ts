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
 * Turns one delivery into what it changes in the tables. Pure: the same delivery gives the same changes, whenever and
 * however often it is asked.
 *
 * @returns  The ledger's row, and with it the changes (`applied`), nothing (`ignored`: a type that changes no table) or
 *           the fault (`dead`: a body that makes no sense); never throws on bad input.
 */
export function normalise(delivery: Delivery): NormalisedEvent {
  const body = delivery.encoding === 'utf8' ? delivery.body : bodyBytes(delivery);
  const entry: LedgerEntry = {
    id: idempotencyKey(body),
    eventKey: null,
    type: null,
    conversationId: null,
    eventAt: delivery.signedAt * 1000,
    delivery,
  };
  try {
    return apply(entry, readEnvelope(parseBody(body)));
  } catch (error) {
    return { outcome: 'dead', entry, fault: faultOf(error) };
  }
}

/** A fault of ours in reading one event is that event's alone: it must not take its neighbours with it. */
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

/** Fills `entry` with what the event says of itself before anything can go wrong, so that a dead one is named too. */
function apply(entry: LedgerEntry, envelope: Envelope): NormalisedEvent {
  entry.type = envelope.type;
  entry.eventKey = envelope.eventKey;
  entry.eventAt = envelope.time ?? entry.eventAt;
  entry.conversationId = envelope.ids.conversationId;
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
  if (eventType.idOf && envelope.time === undefined) tellByDelivery(entry, rowId);
  const { id, eventAt } = entry;
  const { receivedAt } = entry.delivery;
  const event = { id, receivedAt, rowId: rowId ?? id, conversationId, eventAt, fields: envelope.ids.fields };
  return { outcome: 'applied', entry, changes: eventType.handle(event), done: eventType.done };
}

/**
 * Places a live event that names no time: into the second of its signature, and within it by its receipt, so that what was
 * sent in one second stands in the order in which it came. One that names no id either is told apart by that second: it
 * may be the same word said twice.
 */
function tellByDelivery(entry: LedgerEntry, rowId: string | undefined): void {
  const { signedAt, receivedAt } = entry.delivery;
  const second = signedAt * 1000;
  entry.eventAt = Math.max(second, Math.min(receivedAt, second + 999));
  if (rowId === undefined) {
    entry.id = signedIdempotencyKey(bodyBytes(entry.delivery).toString(), signedAt);
  }
}

function isEventType(type: string): type is keyof typeof EVENT_TYPES {
  return Object.hasOwn(EVENT_TYPES, type);
}
