import { fieldsOf, type Fields } from './fields.ts';
import type { JsonObject } from './json.ts';

/** The ids that an event may name, and the fields to read more of them from. */
export interface EventIds {
  /** `data`, where the event has one. */
  data: JsonObject | undefined;
  /** `data` and the fields beside it. */
  fields: Fields;
  conversationId: string | null;
  /** `event_id`, at the top or in data. */
  eventId: string | undefined;
  /** `id` at the top, where the top has no `event_id`. */
  outerId: string | undefined;
}

/** Reads the id of the row that a live event writes; undefined where the event names none. */
export type IdReader = (ids: EventIds) => string | undefined;

/**
 * Returns the id of a message, else of its event. An `id` at the top never names a message: bridges put their session's
 * id there, and all messages of a session would become one row.
 */
export function messageId(ids: EventIds): string | undefined {
  return first(ids, [() => ids.fields.key('message_id'), () => dataId(ids), () => ids.eventId]);
}

/** Returns the id of a tool call, which its call and its result share. */
export function toolCallId(ids: EventIds): string | undefined {
  return first(ids, [() => ids.fields.key('tool_call_id', 'request_id'), () => ownId(ids), () => ids.eventId]);
}

/** Returns the id of a command. */
export function actionId(ids: EventIds): string | undefined {
  return first(ids, [() => ids.fields.key('action_id'), () => ownId(ids), () => ids.eventId]);
}

/** Returns the id of an event about the call itself, such as `conversation.started`. */
export function callEventId(ids: EventIds): string | undefined {
  return first(ids, [() => ids.eventId, () => ids.outerId]);
}

/**
 * Returns the first id that is not the conversation's. Some bridges put the conversation's id everywhere, and all rows
 * would have one key.
 */
function first({ conversationId }: EventIds, readers: readonly (() => string | undefined)[]): string | undefined {
  for (const read of readers) {
    const id = read();
    if (id !== undefined && id !== conversationId) return id;
  }
  return undefined;
}

/**
 * Returns `id`. An `id` at the top counts only where the event has no `data` and no `event_id`; else it names the
 * session or the event.
 */
function ownId({ data, fields, outerId }: EventIds): string | undefined {
  return fields.key('id') ?? (data ? undefined : outerId);
}

/** Returns `data.id`, never an `id` at the top. */
function dataId({ data, fields }: EventIds): string | undefined {
  return fieldsOf(data).key('id') === undefined ? undefined : fields.key('id');
}
