/**
 * Closes a JSON text that was cut off: it leaves out what is not whole at the end, and closes what is open.
 *
 * @returns  A text that `JSON.parse` reads, where the beginning was JSON; undefined where no value is whole.
 */
export function closeCutJson(text: string): string | undefined {
  const open: string[] = [];
  let safe: { end: number; closers: string } | undefined;
  let at = 0;
  const mark = (end: number): void => {
    safe = { end, closers: open.toReversed().join('') };
  };
  while (at < text.length) {
    const char = text[at];
    if (char === '"') {
      const end = endOfString(text, at);
      if (end === undefined) break;
      at = end;
      continue;
    }
    if (char === '{' || char === '[') {
      open.push(char === '{' ? '}' : ']');
      mark(at + 1);
    } else if (char === '}' || char === ']') {
      open.pop();
      mark(at + 1);
    } else if (char === ',') mark(at);
    at += 1;
  }
  return safe && text.slice(0, safe.end) + safe.closers;
}

/** Returns the index behind the string's closing quote; undefined where it has none. */
function endOfString(text: string, start: number): number | undefined {
  let at = start + 1;
  while (at < text.length) {
    if (text[at] === '\\') at += 2;
    else if (text[at] === '"') return at + 1;
    else at += 1;
  }
  return undefined;
}

/** A number that JavaScript cannot hold, as its text has it. */
export class ExactNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** A string, which is left alone, or a number. */
const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Parses JSON and keeps the digits of whole numbers that JavaScript would round. @throws {SyntaxError} */
export function parseExactly(text: string): unknown {
  let mark = '#';
  while (text.includes(`"${mark}`)) mark += '#';
  const marked = text.replace(TOKENS, (token) => (isRounded(token) ? `"${mark}${token}"` : token));
  return JSON.parse(marked, (_key, value: unknown) =>
    typeof value === 'string' && value.startsWith(mark) ? new ExactNumber(value.slice(mark.length)) : value,
  ) as unknown;
}

function isRounded(token: string): boolean {
  return /^-?\d{16,}$/.test(token) && !Number.isSafeInteger(Number(token));
}
