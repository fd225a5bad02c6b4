/** A JSON value as it was written: a text for what has no parts, else its items or its members, with their keys as they were written. */
type Node = string | Container;

interface Container {
  open: '[' | '{';
  items: Node[];
  /** One for each item of an object; none in an array. */
  keys: string[];
}

/** The greatest depth that is printed anew. Deeper JSON is no event. */
const MAX_DEPTH = 256;

/** Each token of a text that is valid JSON. A string has no choice within its repetitions, so it is found in one pass. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{},:]|[^\s"[\]{},:]+/gs;

/** A way to print JSON. */
interface Style {
  /** As a detail of the diagnosis. */
  name: string;
  comma: string;
  colon: string;
  isSorted: boolean;
  /** `kept`: as they are written. `ascii`: what is not ASCII as `\u` and four digits, as Python does by default. */
  texts: 'kept' | 'plain' | 'ascii';
}

const COMPACT = { comma: ',', colon: ':' };
const SPACED = { comma: ', ', colon: ': ' };

const STYLES: readonly Style[] = [
  { name: 'compact', ...COMPACT, isSorted: false, texts: 'kept' },
  { name: 'compact, other escapes', ...COMPACT, isSorted: false, texts: 'plain' },
  { name: 'compact, ASCII alone', ...COMPACT, isSorted: false, texts: 'ascii' },
  { name: "Python's spacing", ...SPACED, isSorted: false, texts: 'kept' },
  { name: "Python's spacing, other escapes", ...SPACED, isSorted: false, texts: 'plain' },
  { name: "Python's spacing, ASCII alone", ...SPACED, isSorted: false, texts: 'ascii' },
  { name: 'compact, sorted', ...COMPACT, isSorted: true, texts: 'plain' },
  { name: 'compact, sorted, ASCII alone', ...COMPACT, isSorted: true, texts: 'ascii' },
  { name: "Python's spacing, sorted", ...SPACED, isSorted: true, texts: 'plain' },
  { name: "Python's spacing, sorted, ASCII alone", ...SPACED, isSorted: true, texts: 'ascii' },
];

/**
 * Prints JSON anew in each style that a sender is likely to have signed, one at a time. Numbers stay as they are written: 1.0 is no 1.
 * It takes time in proportion to the text, whatever is in it. Yields nothing for a text that is no JSON or is nested too deep.
 */
export function* printings(text: string): Generator<{ name: string; text: string }> {
  const root = parse(text);
  if (root === undefined) return;
  const seen = new Set([text]);
  for (const style of STYLES.filter((each) => isOwn(each, text))) {
    const printed: string[] = [];
    print(root, style, printed);
    const whole = printed.join('');
    if (!seen.has(whole)) yield { name: style.name, text: whole };
    seen.add(whole);
  }
}

/** Whether a style prints a text in another way than the styles before it. */
function isOwn({ texts, isSorted }: Style, text: string): boolean {
  const hasEscapes = text.includes('\\');
  if (texts === 'plain') return isSorted || hasEscapes;
  return texts === 'kept' || hasEscapes || !ASCII.test(text);
}

const ASCII = /^[^\u0080-\uffff]*$/;

/** Returns undefined for what is no JSON. */
function parse(text: string): Node | undefined {
  if (!isJson(text)) return undefined;
  const top: Container = { open: '[', items: [], keys: [] };
  const path = [top];
  let isKey = false;
  for (const [token] of text.matchAll(TOKEN)) {
    const within = path.at(-1) ?? top;
    if (token === ':') isKey = false;
    else if (token === ',') isKey = within.open === '{';
    else if (token === ']' || token === '}') {
      isKey = false;
      path.pop();
    } else if (isKey) within.keys.push(token);
    else if (token === '[' || token === '{') {
      const inner: Container = { open: token, items: [], keys: [] };
      within.items.push(inner);
      if (path.push(inner) > MAX_DEPTH) return undefined;
      isKey = token === '{';
    } else within.items.push(token);
  }
  return top.items[0];
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Adds the parts of a value's text. To join the text of each level would copy the inner ones once a level. */
function print(node: Node, style: Style, parts: string[]): void {
  if (typeof node === 'string') {
    parts.push(node.startsWith('"') ? printText(node, style) : node);
    return;
  }
  const { open, items, keys } = node;
  parts.push(open);
  for (const [place, i] of orderOf(node, style).entries()) {
    if (place > 0) parts.push(style.comma);
    const key = keys[i];
    if (key !== undefined) parts.push(printText(key, style), style.colon);
    const item = items[i];
    if (item !== undefined) print(item, style, parts);
  }
  parts.push(open === '[' ? ']' : '}');
}

function orderOf({ keys, items }: Container, { isSorted }: Style): number[] {
  const order = items.map((_, i) => i);
  if (!isSorted || keys.length === 0) return order;
  const names = keys.map((key) => (key.includes('\\') ? String(JSON.parse(key)) : key.slice(1, -1)));
  return order.sort((a, b) => compare(names[a] ?? '', names[b] ?? ''));
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function printText(written: string, { texts }: Style): string {
  if (texts === 'kept' || (ASCII.test(written) && !written.includes('\\'))) return written;
  const plain = JSON.stringify(JSON.parse(written));
  return texts === 'plain' ? plain : plain.replaceAll(/[\u0080-\uffff]/g, escape);
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
