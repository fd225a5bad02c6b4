import { ExactNumber } from './cut-json.ts';

/** How many children of one value are shown until somebody asks for more. */
export const CHILDREN_AT_ONCE = 100;

/** One line of the tree. Children of a closed value are not made. */
export interface JsonNode {
  /** The way from the root, unique in its tree. */
  path: string;
  level: number;
  /** A field's name or an item's index; null at the root. */
  name: string | number | null;
  value: unknown;
  /** Children that the value has; undefined for a text, number, boolean or null. */
  size: number | undefined;
  isOpen: boolean;
  place: number;
  siblings: number;
  /** Set on the line that stands for the children that are not shown: how many. */
  more?: number;
}

/** What the reader has opened. Both are by path. */
export interface Opened {
  open: ReadonlySet<string>;
  /** How many children are shown, where it is more than `CHILDREN_AT_ONCE`. */
  shown: ReadonlyMap<string, number>;
}

/** Lists the lines that are to be seen, in order. */
export function visibleNodes(root: unknown, opened: Opened): JsonNode[] {
  const nodes: JsonNode[] = [];
  visit({ path: '$', level: 1, name: null, value: root, place: 1, siblings: 1 }, opened, nodes);
  return nodes;
}

type Visited = Pick<JsonNode, 'path' | 'level' | 'name' | 'value' | 'place' | 'siblings'>;

function visit(visited: Visited, opened: Opened, nodes: JsonNode[]): void {
  const { path, value } = visited;
  const size = sizeOf(value);
  const isOpen = size !== undefined && size > 0 && opened.open.has(path);
  nodes.push({ ...visited, size, isOpen });
  if (!isOpen) return;
  const most = opened.shown.get(path) ?? CHILDREN_AT_ONCE;
  const level = visited.level + 1;
  for (const [index, [name, child]] of childrenOf(value, most).entries()) {
    visit({ path: childPath(path, name), level, name, value: child, place: index + 1, siblings: size }, opened, nodes);
  }
  if (size <= most) return;
  const rest = { path: `${path}…`, level, name: null, value: null, size: undefined, isOpen: false };
  nodes.push({ ...rest, place: most + 1, siblings: size, more: size - most });
}

/** Lists the paths that are open at first: values of at most `most` children, `depth` levels deep. */
export function openAtFirst(root: unknown, depth: number, most = 60): Set<string> {
  const open = new Set<string>();
  function enter(value: unknown, path: string, level: number): void {
    const size = sizeOf(value);
    if (size === undefined || level > depth || (level > 1 && size > most)) return;
    open.add(path);
    for (const [name, child] of childrenOf(value, most)) enter(child, childPath(path, name), level + 1);
  }
  enter(root, '$', 1);
  return open;
}

function childPath(path: string, name: string | number): string {
  return typeof name === 'number' ? `${path}[${name}]` : `${path}.${JSON.stringify(name)}`;
}

function childrenOf(value: unknown, most: number): [string | number, unknown][] {
  if (Array.isArray(value)) return value.slice(0, most).map((item, index) => [index, item]);
  return isFields(value) ? Object.entries(value).slice(0, most) : [];
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function sizeOf(value: unknown): number | undefined {
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return undefined;
  return Array.isArray(value) ? value.length : Object.keys(value).length;
}

/** Writes a value as JSON text, as `JSON.stringify(value, null, 2)` does. Numbers that `parseExactly` kept have their digits. */
export function jsonText(value: unknown, indent = ''): string {
  if (value instanceof ExactNumber) return value.text;
  const size = sizeOf(value);
  if (size === undefined) return JSON.stringify(value) ?? 'null';
  const inner = `${indent}  `;
  const isList = Array.isArray(value);
  if (size === 0) return isList ? '[]' : '{}';
  const lines = isList
    ? value.map((item: unknown) => `${inner}${jsonText(item, inner)}`)
    : childrenOf(value, size).map(([name, item]) => `${inner}${JSON.stringify(name)}: ${jsonText(item, inner)}`);
  return `${isList ? '[' : '{'}\n${lines.join(',\n')}\n${indent}${isList ? ']' : '}'}`;
}
