import { EventFaultError } from './errors.ts';
import { isObject, parseJson, type Json, type JsonObject } from './json.ts';
import { withoutSecrets } from './without-secrets.ts';

/** The fields that name an event's type, the first one first. */
export const TYPE_NAMES = ['type', 'event_type', 'event'] as const;

/** The type of an event that names none but has the shape of a finished call's conversation, as the API returns it. */
export const SHAPE_TYPE = 'post_call_transcription';

/** The fields in which automation tools and gateways put the body of a request that they pass on. */
export const WRAPPERS = ['body', 'json', 'payload', 'data'] as const;

/**
 * The greatest number of wrappers around an event. No known chain of tools adds more.
 */
export const MAX_WRAPPERS = 8;

/** An event without its wrappers. */
export interface Unwrapped {
  event: JsonObject;
  /** The type of a conversation that names none; null where the event names its type or has no known shape. */
  impliedType: typeof SHAPE_TYPE | null;
}

/**
 * Finds the event in a parsed body. The body may be:
 *
 * - an object that names a type: the event itself;
 * - a conversation object as the API returns it, without type and data: an event known by its shape;
 * - `{data}` with a transcript: an event known by its shape;
 * - `{body: …}` or another wrapper, or an array of one item: `unwrap` searches inside, also where the inside is JSON in
 *   a text.
 *
 * @throws EventFaultError  for a body that is no object, and for an array of several items.
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

/** Parses a text that holds JSON; returns any other value unchanged. */
function parsed(value: Json): Json {
  if (typeof value !== 'string') return value;
  const json = parseJson(value);
  return json.ok ? withoutSecrets(json.value, value) : value;
}

/** Returns whether an object names a type, as a non-empty text, a number or a boolean. */
export function namesType(object: JsonObject): boolean {
  return TYPE_NAMES.some((name) => Object.hasOwn(object, name) && isWord(object[name]));
}

function isWord(value: Json | undefined): boolean {
  return (typeof value === 'string' && value !== '') || typeof value === 'number' || typeof value === 'boolean';
}

/** Returns whether a value is a conversation: it has turns, or a status and metadata where the turns were left out. */
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

/**
 * Returns the content of a wrapper; undefined where the object wraps nothing. Events have a field `data` too, so `data`
 * counts as a wrapper only where it names a type and has data of its own.
 */
function wrappedIn(object: JsonObject): Json | undefined {
  for (const name of WRAPPERS) {
    const value = parsed(own(object, name) ?? null);
    if (Array.isArray(value) || isObject(value)) {
      if (name !== 'data' || (isObject(value) && namesType(value) && isObject(own(value, 'data')))) return value;
    }
  }
  return undefined;
}
