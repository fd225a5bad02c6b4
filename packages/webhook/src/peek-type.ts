import { endOfString } from './json.ts';

/** How far into a body the type is looked for, in characters: a log line is not worth more. */
const PEEK_LIMIT = 4096;
const TYPE_KEYS = new Set(['type', 'event_type', 'event']);
const TYPE_NAME = /^[\w.:-]{1,64}$/;

/**
 * The event type that a body names at its top level, without parsing the body. For the receiver's log line alone: the
 * worker decides by the parsed event.
 *
 * @param body  Verified JSON text, or anything else.
 * @returns     The type, or `unknown` where none is found in the first 4,096 characters.
 */
export function peekType(body: string): string {
  const text = body.slice(0, PEEK_LIMIT);
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '{' || c === '[') depth++;
    else if (c === '}' || c === ']') depth--;
    else if (c === '"') {
      const end = endOfString(text, i);
      const value = depth === 1 && TYPE_KEYS.has(text.slice(i + 1, end)) ? stringAfterColon(text, end + 1) : undefined;
      if (value !== undefined) return TYPE_NAME.test(value) ? value : 'unknown';
      i = end;
    }
  }
  return 'unknown';
}

const COLON_AND_QUOTE = /\s*:\s*"/y;

function stringAfterColon(text: string, at: number): string | undefined {
  COLON_AND_QUOTE.lastIndex = at;
  if (!COLON_AND_QUOTE.test(text)) return undefined;
  const start = COLON_AND_QUOTE.lastIndex;
  const end = endOfString(text, start - 1);
  return end < text.length ? text.slice(start, end) : undefined;
}
