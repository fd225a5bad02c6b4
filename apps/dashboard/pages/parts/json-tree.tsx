import { useMemo, useRef, useState } from 'preact/hooks';
import { CopyButton, copyText } from './copy-button.tsx';
import { ExactNumber } from './cut-json.ts';
import { countText } from './relative-time.ts';
import { CHILDREN_AT_ONCE, jsonText, openAtFirst, visibleNodes, type JsonNode, type Opened } from './json-nodes.ts';

/** The longest text that a line shows before somebody opens it, in characters. */
const MOST_CHARACTERS = 300;

interface JsonTreeProps {
  value: unknown;
  /** What the tree is, for those who cannot see it. */
  label?: string;
  /** How many levels are open at first. */
  depth?: number;
}

/**
 * Shows a JSON value as a tree. Children are made when they are opened.
 *
 * Arrows move, open and close; Home and End go to the ends; `c` copies the value of the line.
 */
export function JsonTree({ value, label = 'JSON', depth = 2 }: JsonTreeProps) {
  const tree = useTree(value, depth);
  return (
    <ul class="json-tree" role="tree" aria-label={label} ref={tree.root} onKeyDown={tree.onKeyDown}>
      {tree.nodes.map((node) => (
        <JsonLine
          key={node.path}
          node={node}
          isFocused={node.path === tree.focused}
          onToggle={() => tree.toggle(node)}
          onFocus={() => tree.focus(node.path)}
        />
      ))}
    </ul>
  );
}

function useTree(value: unknown, depth: number) {
  const first = useMemo<Opened>(() => ({ open: openAtFirst(value, depth), shown: new Map() }), [value, depth]);
  const [changed, setChanged] = useState<{ of: Opened; opened: Opened }>();
  const [focused, setFocused] = useState('$');
  const root = useRef<HTMLUListElement>(null);
  // What was opened in another value says nothing about this one.
  const opened = changed?.of === first ? changed.opened : first;
  const nodes = useMemo(() => visibleNodes(value, opened), [value, opened]);
  const at = Math.max(
    0,
    nodes.findIndex(({ path }) => path === focused),
  );

  function toggle(node: JsonNode): void {
    setChanged({ of: first, opened: toggled(opened, node) });
  }
  function move(index: number): void {
    const node = nodes[Math.min(nodes.length - 1, Math.max(0, index))];
    if (!node) return;
    setFocused(node.path);
    const lines = root.current?.querySelectorAll<HTMLElement>('[role=treeitem]');
    lines?.[nodes.indexOf(node)]?.focus();
  }
  function onKeyDown(event: KeyboardEvent): void {
    const node = nodes[at];
    // A button in a line has its own use of the keys.
    if (event.target instanceof Element && event.target.closest('button')) return;
    if (!node || event.ctrlKey || event.metaKey || event.altKey) return;
    const run = keyAction(event.key, { node, nodes, at, toggle, move });
    if (!run) return;
    event.preventDefault();
    event.stopPropagation();
    run();
  }
  return { nodes, focused: nodes[at]?.path, root, toggle, focus: setFocused, onKeyDown };
}

interface Keyed {
  node: JsonNode;
  nodes: readonly JsonNode[];
  at: number;
  toggle: (node: JsonNode) => void;
  move: (index: number) => void;
}

function keyAction(key: string, { node, nodes, at, toggle, move }: Keyed): (() => void) | undefined {
  const canOpen = Boolean(node.size) || node.more !== undefined;
  const actions: Record<string, () => void> = {
    ArrowDown: () => move(at + 1),
    ArrowUp: () => move(at - 1),
    Home: () => move(0),
    End: () => move(nodes.length - 1),
    ArrowRight: () => (canOpen && !node.isOpen ? toggle(node) : node.isOpen && move(at + 1)),
    ArrowLeft: () =>
      node.isOpen ? toggle(node) : move(nodes.slice(0, at).findLastIndex(({ level }) => level < node.level)),
    c: () => void copyText(copied(node)),
  };
  if (canOpen) {
    actions['Enter'] = () => toggle(node);
    actions[' '] = () => toggle(node);
  }
  return actions[key];
}

function toggled({ open, shown }: Opened, node: JsonNode): Opened {
  if (node.more !== undefined) {
    const path = node.path.slice(0, -1);
    const most = shown.get(path) ?? CHILDREN_AT_ONCE;
    return { open, shown: new Map(shown).set(path, most + CHILDREN_AT_ONCE * 5) };
  }
  const next = new Set(open);
  if (!next.delete(node.path)) next.add(node.path);
  return { open: next, shown };
}

interface JsonLineProps {
  node: JsonNode;
  isFocused: boolean;
  onToggle: () => void;
  onFocus: () => void;
}

function JsonLine({ node, isFocused, onToggle, onFocus }: JsonLineProps) {
  const canOpen = Boolean(node.size);
  const click = canOpen || node.more !== undefined ? onToggle : undefined;
  return (
    <li
      role="treeitem"
      class="json-line"
      aria-level={node.level}
      aria-expanded={canOpen ? node.isOpen : undefined}
      aria-setsize={node.siblings}
      aria-posinset={node.place}
      aria-selected={isFocused}
      tabIndex={isFocused ? 0 : -1}
      style={{ paddingInlineStart: `${(node.level - 1) * 1.1}rem` }}
      onFocus={onFocus}
      onClick={click}
    >
      <span
        class="json-arrow"
        aria-hidden="true"
        data-state={canOpen ? (node.isOpen ? 'open' : 'closed') : undefined}
      />
      {node.more === undefined ? (
        <JsonContent node={node} />
      ) : (
        <span class="json-more">{countText(node.more)} more</span>
      )}
    </li>
  );
}

function JsonContent({ node }: { node: JsonNode }) {
  return (
    <>
      {node.name !== null && (
        <>
          <bdi class={typeof node.name === 'number' ? 'json-index' : 'json-name'}>{node.name}</bdi>
          <span class="json-colon">: </span>
        </>
      )}
      {node.size === undefined ? <JsonScalar value={node.value} /> : <span class="json-size">{sizeText(node)}</span>}
      <CopyButton small label="Copy this value" text={() => copied(node)} tabIndex={-1} />
    </>
  );
}

function sizeText({ value, size = 0 }: JsonNode): string {
  if (Array.isArray(value)) return size === 0 ? '[ ]' : `[ ${countText(size)} ]`;
  return size === 0 ? '{ }' : `{ ${countText(size)} }`;
}

function JsonScalar({ value }: { value: unknown }) {
  const [isWhole, setWhole] = useState(false);
  if (typeof value !== 'string') return <span class={kindOf(value)}>{jsonText(value)}</span>;
  const isCut = !isWhole && value.length > MOST_CHARACTERS;
  return (
    <>
      <span class="json-text" dir="auto">
        {isCut ? `${value.slice(0, MOST_CHARACTERS)}…` : value}
      </span>
      {isCut && (
        <button type="button" class="json-whole" onClick={() => setWhole(true)}>
          all {countText(value.length)} characters
        </button>
      )}
    </>
  );
}

function kindOf(value: unknown): string {
  if (value === null) return 'json-null';
  return typeof value === 'number' || value instanceof ExactNumber ? 'json-number' : 'json-boolean';
}

/** A text is copied as it is; everything else as JSON. */
function copied({ value }: JsonNode): string {
  return typeof value === 'string' ? value : jsonText(value);
}
