import { useEffect, useId, useRef } from 'preact/hooks';
import { InsideOption } from './inside-option.ts';
import { toggled, type ItemListProps } from './list-props.ts';
import { listWindow } from './list-window.ts';
import { useKeptTop } from './use-kept-top.ts';
import { useListKeys } from './use-list-keys.ts';
import { useViewport } from './use-viewport.ts';
import { useIsNarrow } from './use-is-narrow.ts';

/** The next page is asked for when as many rows are left below. */
const NEAR_END = 20;

/** A windowed list: 10,000 rows cost what 50 do. One moves by j, k, arrows and the mouse; enter opens, x selects. */
export function ItemList<Item>(props: ItemListProps<Item>) {
  const { items, keyOf, label, selection, footer, following } = props;
  const id = useId();
  const isNarrow = useIsNarrow();
  const rowHeight = isNarrow ? (props.narrowRowHeight ?? props.rowHeight) : props.rowHeight;
  const box = useRef<HTMLDivElement>(null);
  const isHeld = props.openKey !== undefined || (selection?.size ?? 0) > 0;
  const view = useViewport(box, (top) => following?.scrolled({ top, isHeld }));
  useKeptTop(box, props.placeName, items.length);
  const keys = useListKeys({ ...props, rowHeight, box });
  const wasFollowing = useRef(following?.isFollowing);
  useEffect(() => {
    // A list that has just come may stand where it was left.
    if (following?.isFollowing === true && wasFollowing.current === false && box.current) box.current.scrollTop = 0;
    wasFollowing.current = following?.isFollowing;
  }, [following?.isFollowing]);
  const rows = listWindow(view.top, view.height, { count: items.length, height: rowHeight });
  useEffect(() => {
    if (items.length > 0 && rows.to >= items.length - NEAR_END) props.onEnd?.();
  }, [rows.to >= items.length - NEAR_END, items.length]);
  const shown = items.slice(rows.from, rows.to).map((item, n) => ({ item, row: rows.from + n }));
  const active = items[keys.activeRow];
  // The active row is there even when one has scrolled away from it: the list names it as active.
  const isAway = keys.activeRow >= 0 && (keys.activeRow < rows.from || keys.activeRow >= rows.to);
  if (active !== undefined && isAway) shown.push({ item: active, row: keys.activeRow });
  return (
    <div
      ref={box}
      class="item-list"
      role="listbox"
      tabIndex={0}
      aria-label={label}
      aria-multiselectable={selection !== undefined}
      aria-activedescendant={active === undefined ? undefined : `${id}-${keyOf(active)}`}
    >
      <div class="item-list-rows" role="presentation" style={{ height: `${items.length * rowHeight}px` }}>
        <InsideOption.Provider value>
          {shown.map(({ item, row }) => (
            <Row
              key={keyOf(item)}
              {...{ item, row, rowHeight, id }}
              list={props}
              isActive={row === keys.activeRow}
              onMove={keys.moveTo}
            />
          ))}
        </InsideOption.Provider>
      </div>
      {footer !== undefined && (
        <div class="item-list-footer" role="presentation">
          {footer}
        </div>
      )}
    </div>
  );
}

interface RowProps<Item> {
  item: Item;
  row: number;
  rowHeight: number;
  id: string;
  list: ItemListProps<Item>;
  isActive: boolean;
  onMove: (row: number) => void;
}

/** One row. A click opens it; with shift it is selected, with ctrl it opens in another tab. */
function Row<Item>({ item, row, rowHeight, id, list, isActive, onMove }: RowProps<Item>) {
  const key = list.keyOf(item);
  const isOpen = list.openKey === key;
  const isSelected = list.selection?.has(key) ?? isOpen;
  function onClick(event: MouseEvent): void {
    onMove(row);
    const href = list.hrefOf?.(item);
    if (href !== undefined && (event.ctrlKey || event.metaKey || event.button === 1))
      window.open(href, '_blank', 'noopener');
    else if (event.button === 0 && event.shiftKey && list.selection) list.onSelect?.(toggled(list.selection, key));
    else if (event.button === 0) list.onOpen(item);
  }
  return (
    <div
      id={`${id}-${key}`}
      class={`item${isActive ? ' item-active' : ''}${isOpen ? ' item-open' : ''}`}
      role="option"
      aria-selected={isSelected}
      aria-setsize={list.items.length}
      aria-posinset={row + 1}
      style={{ transform: `translateY(${row * rowHeight}px)`, height: `${rowHeight}px` }}
      onClick={onClick}
      onAuxClick={onClick}
    >
      {list.renderItem(item)}
    </div>
  );
}
