import { EventFaultError } from './errors.ts';
import { isObject, parseJson, type Json, type JsonObject } from './json.ts';
import { withoutSecrets } from './without-secrets.ts';

/** Where an event names its type. */
export const TYPE_NAMES = ['type', 'event_type', 'event'] as const;

/** The type of an event that is known by its shape alone: a finished call's conversation, as the API returns it. */
export const SHAPE_TYPE = 'post_call_transcription';

/** Where automation tools and gateways put the body of a request that they pass on. */
export const WRAPPERS = ['body', 'json', 'payload', 'data'] as const;

/** No chain of tools wraps an event more often than this. */
export const MAX_WRAPPERS = 8;

/** An event taken out of what it was wrapped in. */
export interface Unwrapped {
  event: JsonObject;
  /** Where the event names no type but holds a conversation: that one's. */
  impliedType: typeof SHAPE_TYPE | null;
}

/**
 * Finds the event in a parsed body. What names a type is an event as it stands. A conversation object as the API returns it
 * (no type, no data) and `{data}` with a transcript are known by their shape; `{body: …}` and an array of one are looked
 * into, also where the body is JSON in a text.
 *
 * @throws EventFaultError  for what is no object, and for an array of several.
 */
export function unwrap(body: Json): Unwrapped {
  let inside = body;
  for (let depth = 0; depth < MAX_WRAPPERS; depth++) {
    const value = Array.isArray(inside) ? onlyOf(inside) : parsed(inside);
    if (isObject(value)) {
      if (namesType(value)) return { event: value, impliedType: null };
      if (isConversation(value) || isConversation(value['data'])) return { event: value, impliedType: SHAPE_TYPE };
      const wrapped = wrappedIn(value);
      if (wrapped === undefined) return { event: value, impliedType: null };
      inside = wrapped;
    } else if (Array.isArray(value) && value !== inside) inside = value;
    else throw new EventFaultError('body_not_object', 'The body is JSON, but not an object.');
  }
  throw new EventFaultError('body_not_object', `The body wraps its event more than ${MAX_WRAPPERS} times.`);
}

function onlyOf(items: Json[]): Json {
  const [only = null] = items;
  if (items.length <= 1) return only;
  throw new EventFaultError(
    'body_has_several',
    `The body is an array of ${items.length} items. Send one each: a request carries one event.`,
  );
}

/** JSON in a text as what it holds. */
function parsed(value: Json): Json {
  if (typeof value !== 'string') return value;
  const json = parseJson(value);
  return json.ok ? withoutSecrets(json.value, value) : value;
}

/** Whether an object names a type, in a form that is one. */
export function namesType(object: JsonObject): boolean {
  return TYPE_NAMES.some((name) => Object.hasOwn(object, name) && isWord(object[name]));
}

function isWord(value: Json | undefined): boolean {
  return (typeof value === 'string' && value !== '') || typeof value === 'number' || typeof value === 'boolean';
}

/** A conversation has turns, or, where they were left out, a status and the account of the call. */
function isConversation(value: Json | undefined): boolean {
  if (!isObject(value) || namesType(value)) return false;
  if (Object.hasOwn(value, 'transcript') && Array.isArray(value['transcript'])) return true;
  return (
    ['conversation_id', 'status'].every((name) => typeof own(value, name) === 'string') &&
    isObject(own(value, 'metadata'))
  );
}

function own(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** What a wrapper wraps. `data` is a part of events as well: it wraps one only where that names a type and has data of its own. */
function wrappedIn(object: JsonObject): Json | undefined {
  for (const name of WRAPPERS) {
    const value = parsed(own(object, name) ?? null);
    if (Array.isArray(value) || isObject(value)) {
      if (name !== 'data' || (isObject(value) && namesType(value) && isObject(own(value, 'data')))) return value;
    }
  }
  return undefined;
}
