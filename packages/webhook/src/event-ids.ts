import { fieldsOf, type Fields } from './fields.ts';
import type { JsonObject } from './json.ts';

/** Where an event may name itself and what it tells of. */
export interface EventIds {
  /** `data`, where the event has one. */
  data: JsonObject | undefined;
  /** `data` and what stands beside it. */
  fields: Fields;
  conversationId: string | null;
  /** `event_id`, at the top or in data. */
  eventId: string | undefined;
  /** `id` at the top, where no `event_id` stands beside it. */
  outerId: string | undefined;
}

/** Reads the id of the row that a live event tells of; undefined where the event names none. */
export type IdReader = (ids: EventIds) => string | undefined;

/**
 * The id of a message: its own, else its event's. An `id` at the top never names a message: bridges put their session's
 * there, and all that was said in it would be one row.
 */
export function messageId(ids: EventIds): string | undefined {
  return first(ids, [() => ids.fields.key('message_id'), () => dataId(ids), () => ids.eventId]);
}

/** The id of a tool call, which its call and its result share. */
export function toolCallId(ids: EventIds): string | undefined {
  return first(ids, [() => ids.fields.key('tool_call_id', 'request_id'), () => ownId(ids), () => ids.eventId]);
}

/** The id of a command, read like a tool call's. */
export function actionId(ids: EventIds): string | undefined {
  return first(ids, [() => ids.fields.key('action_id'), () => ownId(ids), () => ids.eventId]);
}

/** The id of an event that tells of the call itself, and of no row within it. */
export function callEventId(ids: EventIds): string | undefined {
  return first(ids, [() => ids.eventId, () => ids.outerId]);
}

/** Some bridges put the conversation's id everywhere: under that key all rows would be one. */
function first({ conversationId }: EventIds, readers: readonly (() => string | undefined)[]): string | undefined {
  for (const read of readers) {
    const id = read();
    if (id !== undefined && id !== conversationId) return id;
  }
  return undefined;
}

/** An `id` at the top is the session's or the event's, unless the event has no data or names its own id beside it. */
function ownId({ data, fields, outerId }: EventIds): string | undefined {
  return fields.key('id') ?? (data ? undefined : outerId);
}

/** `data.id`, taken only where it stands in data itself. */
function dataId({ data, fields }: EventIds): string | undefined {
  return fieldsOf(data).key('id') === undefined ? undefined : fields.key('id');
}
