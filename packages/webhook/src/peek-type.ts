import { MAX_WRAPPERS, SHAPE_TYPE, TYPE_NAMES, WRAPPERS } from './envelope.ts';
import { endOfString } from './json.ts';

/** How far from the body's beginning or end most senders name the type, in characters or bytes. */
const NEAR = 4096;
/**
 * The greatest body that is scanned whole, in characters or bytes. Of a longer one only the ends are read: a log line is worth
 * no more.
 */
const MAX_SCANNED = 1024 * 1024;
const TYPE_KEYS: ReadonlySet<string> = new Set(TYPE_NAMES);
const WRAPPER_KEYS: ReadonlySet<string> = new Set(WRAPPERS);
const TYPE_NAME = /^[\w.:-]{1,64}$/;

/**
 * Returns the event type that a body names, without parsing the body. Only the receiver's log line uses it; the worker
 * decides by the parsed event.
 *
 * @param body  Verified JSON, or anything else, as text or as the pieces of its bytes in UTF-8.
 * @returns     The type, also of a wrapped event or of a conversation that names none. `unknown` where no type is
 *              found, or where the type is no plain word. Of a body of more than a million characters only the ends are
 *              read.
 */
export function peekType(body: string | readonly Buffer[]): string {
  const first = firstOf(body);
  const start = startOfObject(first);
  if (start < 0) return 'unknown';
  const near = scanObject(first, start).type ?? typeNearEnd(lastOf(body));
  return plain(near ?? (isLong(body) ? undefined : typeWithin(textOf(body), start, 0)));
}

/** Returns the first characters, or a few less: a character of several bytes that is cut in two is no bracket and no quotation mark. */
function firstOf(body: string | readonly Buffer[]): string {
  return typeof body === 'string' ? body.slice(0, NEAR) : together(body, NEAR).toString();
}

/** Returns the last characters in the same way. */
function lastOf(body: string | readonly Buffer[]): string {
  if (typeof body === 'string') return body.slice(-NEAR);
  let [count, bytes] = [0, 0];
  while (count < body.length && bytes < NEAR) bytes += body.at(-++count)?.length ?? 0;
  return together(body.slice(body.length - count), bytes)
    .subarray(-NEAR)
    .toString();
}

/** Joins so many of the first bytes. */
function together(pieces: readonly Buffer[], most: number): Buffer {
  const [first] = pieces;
  if (first !== undefined && (first.length >= most || pieces.length === 1)) return first.subarray(0, most);
  let [count, bytes] = [0, 0];
  while (count < pieces.length && bytes < most) bytes += pieces[count++]?.length ?? 0;
  return Buffer.concat(pieces.slice(0, count), Math.min(bytes, most));
}

function textOf(body: string | readonly Buffer[]): string {
  return typeof body === 'string' ? body : Buffer.concat(body).toString();
}

function isLong(body: string | readonly Buffer[]): boolean {
  const length = typeof body === 'string' ? body.length : body.reduce((sum, piece) => sum + piece.length, 0);
  return length > MAX_SCANNED;
}

function plain(type: string | undefined): string {
  return type !== undefined && TYPE_NAME.test(type) ? type : 'unknown';
}

const BEFORE_OBJECT = /^\ufeff?\s*(?:\[\s*)*\{/;

/** Returns the index of the first object, also within arrays; -1 where the body begins otherwise. */
function startOfObject(first: string): number {
  const opened = BEFORE_OBJECT.exec(first);
  return opened ? opened[0].length - 1 : -1;
}

/** The findings at the first level of an object. */
interface Scanned {
  /** The whole text that contains the object. */
  text: string;
  type: string | undefined;
  /** Whether the object has turns. */
  isConversation: boolean;
  /** The indexes of the objects that may wrap an event. */
  wrapped: number[];
  /** The index behind the object. */
  end: number;
}

const COLON = /\s*:\s*/y;

/** Reads an object's own keys and skips nested values. Ends early where it finds a type. */
function scanObject(text: string, start: number): Scanned {
  const found: Scanned = { text, type: undefined, isConversation: false, wrapped: [], end: text.length };
  let depth = 0;
  for (let i = start; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === OPEN_OBJECT || c === OPEN_ARRAY) depth++;
    else if ((c === CLOSE_OBJECT || c === CLOSE_ARRAY) && --depth === 0) return { ...found, end: i + 1 };
    else if (c === QUOTE) {
      const end = endOfString(text, i);
      if (depth === 1) noteKey(found, i, end);
      if (found.type !== undefined) return found;
      i = end;
    }
  }
  return found;
}

const QUOTE = 0x22;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

function noteKey(found: Scanned, start: number, end: number): void {
  const { text } = found;
  const key = text.slice(start + 1, end);
  COLON.lastIndex = end + 1;
  if (!COLON.test(text)) return;
  const at = COLON.lastIndex;
  const opens = text.charCodeAt(at);
  if (opens === QUOTE && TYPE_KEYS.has(key)) found.type = wholeString(text, at);
  else if (opens === OPEN_ARRAY && key === 'transcript') found.isConversation = true;
  if ((opens === OPEN_OBJECT || opens === OPEN_ARRAY) && WRAPPER_KEYS.has(key)) found.wrapped.push(at);
}

/** Returns the raw text of a string; undefined where the string does not end, or is empty. */
function wholeString(text: string, start: number): string | undefined {
  const end = endOfString(text, start);
  return end < text.length && end > start + 1 ? text.slice(start + 1, end) : undefined;
}

/** Returns the type of the event at `start`, or of the event that it wraps. */
function typeWithin(text: string, start: number, depth: number): string | undefined {
  const found = scanObject(text, start);
  if (found.type !== undefined) return found.type;
  if (found.isConversation) return SHAPE_TYPE;
  if (depth === MAX_WRAPPERS || ANOTHER_ITEM.test(text.slice(found.end, found.end + 64))) return undefined;
  for (const at of found.wrapped) {
    const inner = text.indexOf('{', at);
    const type = inner < 0 ? undefined : typeWithin(text, inner, depth + 1);
    if (type !== undefined) return type;
  }
  return undefined;
}

/** The beginning of a second event in an array. */
const ANOTHER_ITEM = /^\s*,\s*\{/;

/**
 * Returns the type in the last characters of a body, where senders print it behind `data`. The scan runs backwards:
 * where all brackets after a position are closed, the position is at the first level.
 */
function typeNearEnd(text: string): string | undefined {
  let depth = 0;
  for (let i = text.length - 1; i >= 0; i--) {
    const c = text.charCodeAt(i);
    if (c === CLOSE_OBJECT || c === CLOSE_ARRAY) depth++;
    else if (c === OPEN_OBJECT || c === OPEN_ARRAY) depth--;
    else if (c === QUOTE) {
      const start = startOfString(text, i);
      if (start < 0) return undefined;
      if (depth === 1 && TYPE_KEYS.has(text.slice(start + 1, i))) {
        const type = stringAfterColon(text, i + 1);
        if (type !== undefined) return type;
      }
      i = start;
    }
  }
  return undefined;
}

function stringAfterColon(text: string, at: number): string | undefined {
  COLON.lastIndex = at;
  if (!COLON.test(text) || text.charCodeAt(COLON.lastIndex) !== QUOTE) return undefined;
  return wholeString(text, COLON.lastIndex);
}

/** Returns the index of the quote that opens the string closed at `end`; -1 where the string opens before the text. */
function startOfString(text: string, end: number): number {
  for (let start = text.lastIndexOf('"', end - 1); start >= 0; start = text.lastIndexOf('"', start - 1)) {
    let slashes = start;
    while (slashes > 0 && text[slashes - 1] === '\\') slashes--;
    if ((start - slashes) % 2 === 0) return start;
    if (start === 0) return -1;
  }
  return -1;
}
