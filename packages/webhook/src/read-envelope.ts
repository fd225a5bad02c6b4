import { readCallTimes } from './call-times.ts';
import { TYPE_NAMES, type Unwrapped } from './envelope.ts';
import type { EventIds } from './event-ids.ts';
import { addSeconds } from './event-time.ts';
import { fieldsOf, type Fields } from './fields.ts';
import { isObject } from './json.ts';

const TIME_NAMES = ['event_timestamp', 'timestamp', 'created_at'] as const;

/** The fields that every event type has. */
export interface Envelope {
  type: string | null;
  /** The id that the event gives itself. */
  eventKey: string | null;
  /** The event's time in unix milliseconds; undefined where the event names none. */
  time: number | undefined;
  ids: EventIds;
  /** False where `data` is present and neither an object nor null. */
  isDataSound: boolean;
}

/** Reads the fields that every event type has. The event's own fields stay in `ids.fields`. */
export function readEnvelope({ event, impliedType }: Unwrapped): Envelope {
  const top = fieldsOf(event);
  // Read, so that it is not among the rest.
  const data = top.any('data');
  const inner = isObject(data) ? data : undefined;
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
    isDataSound: data === undefined || inner !== undefined,
  };
}

/** Returns the end of a call, which is the time of an account that names none; undefined where the end is unknown. */
function endOfCall(fields: Fields): number | undefined {
  const { startedAt, durationSeconds } = readCallTimes(fields.over('metadata'));
  return startedAt === undefined || durationSeconds === undefined ? undefined : addSeconds(startedAt, durationSeconds);
}
