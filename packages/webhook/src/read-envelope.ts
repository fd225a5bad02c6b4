import { readCallTimes } from './call-times.ts';
import { TYPE_NAMES, type Unwrapped } from './envelope.ts';
import type { EventIds } from './event-ids.ts';
import { addSeconds } from './event-time.ts';
import { fieldsOf, type Fields } from './fields.ts';
import { isObject } from './json.ts';

const TIME_NAMES = ['event_timestamp', 'timestamp', 'created_at'] as const;

/** What an event says of itself, whatever its type is. */
export interface Envelope {
  type: string | null;
  /** The id that the event names for itself. */
  eventKey: string | null;
  /** When it happened, in unix milliseconds; undefined where it names no time. */
  time: number | undefined;
  ids: EventIds;
  /** False where `data` is there, and neither an object nor null. */
  isDataSound: boolean;
}

/** Reads what stands around an event's own fields; those are left in `ids.fields`. */
export function readEnvelope({ event, impliedType }: Unwrapped): Envelope {
  const { data, ...outside } = event;
  const inner = isObject(data) ? data : undefined;
  const top = fieldsOf(outside);
  const type = top.key(...TYPE_NAMES) ?? impliedType;
  const topEventId = top.key('event_id');
  const outerId = topEventId === undefined ? top.key('id') : undefined;
  const time = top.time(...TIME_NAMES);
  const topConversationId = top.key('conversation_id');
  const fields = fieldsOf(inner, top.rest());
  // An event has one id: where `id` stands at the top, an event_id in data is an ordinary field.
  const eventId = topEventId ?? (outerId === undefined ? fields.key('event_id') : undefined);
  const conversationId = fields.key('conversation_id') ?? topConversationId ?? null;
  const eventKey = eventId ?? outerId ?? null;
  return {
    type,
    eventKey: eventKey === conversationId ? null : eventKey,
    time: time ?? fields.time(...TIME_NAMES) ?? (impliedType === null ? undefined : endOfCall(fields)),
    ids: { data: inner, fields, conversationId, eventId, outerId },
    isDataSound: data === undefined || data === null || inner !== undefined,
  };
}

/** When the account of a call that names no time of its own was ready: at the call's end. */
function endOfCall(fields: Fields): number | undefined {
  const { startedAt, durationSeconds } = readCallTimes(fields.over('metadata'));
  return startedAt === undefined || durationSeconds === undefined ? undefined : addSeconds(startedAt, durationSeconds);
}
