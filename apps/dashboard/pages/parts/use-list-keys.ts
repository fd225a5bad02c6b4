import type { RefObject } from 'preact';
import { useState } from 'preact/hooks';
import { useKeys, type Bindings } from '../keys/use-keys.ts';
import { toggled, type ItemListProps } from './list-props.ts';
import { scrollToShow } from './list-window.ts';

/** Where one is in a list. */
interface ListKeys {
  /** -1 where one is nowhere. */
  activeRow: number;
  moveTo: (row: number) => void;
}

/** The keys of a list, and the row that they stand on. The row is remembered by its item, so that new rows above do not move it. */
export function useListKeys<Item>(
  list: ItemListProps<Item> & { rowHeight: number; box: RefObject<HTMLDivElement | null> },
): ListKeys {
  const { items, keyOf, rowHeight, box, openKey } = list;
  const [activeKey, setActiveKey] = useState<string>();
  const rowOf = (key: string | undefined) => (key === undefined ? -1 : items.findIndex((item) => keyOf(item) === key));
  // A filter may take the active row away; then one stands on the open one.
  const ownRow = rowOf(activeKey);
  const activeRow = ownRow < 0 ? rowOf(openKey) : ownRow;
  function moveTo(row: number): void {
    const item = items[row];
    if (item === undefined) return;
    list.following?.pause();
    setActiveKey(keyOf(item));
    const element = box.current;
    if (!element) return;
    element.focus({ preventScroll: true });
    const view = { top: element.scrollTop, height: element.clientHeight };
    const top = scrollToShow(row, view, rowHeight);
    if (top !== undefined) element.scrollTop = top;
  }
  /** Moves by some rows; where the detail beside the list is open, it goes with the row. */
  function moveBy(rows: number): void {
    const row = Math.max(0, Math.min(items.length - 1, activeRow + rows));
    moveTo(row);
    const item = items[row];
    if (openKey !== undefined && item !== undefined) list.onOpen(item);
  }
  function select(): void {
    const item = items[activeRow];
    if (item !== undefined && list.selection) list.onSelect?.(toggled(list.selection, keyOf(item)));
  }
  function open(): void {
    const item = items[activeRow];
    if (item !== undefined) list.onOpen(item);
  }
  const down = { does: 'Next row', run: () => moveBy(1) };
  const up = { does: 'Previous row', run: () => moveBy(-1) };
  const keys: Bindings = { j: down, k: up, down, up, enter: { does: 'Open the row', run: open } };
  useKeys(list.selection ? { ...keys, x: { does: 'Select the row', run: select } } : keys);
  return { activeRow, moveTo };
}
