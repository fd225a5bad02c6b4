import type { ComponentChildren } from 'preact';
import type { Scrolled } from './list-pace.ts';

/** What a list follows: see `usePages`. */
export interface Following {
  isFollowing: boolean;
  follow: () => void;
  /** Pauses until somebody says so. */
  pause: () => void;
  /** Told of each scrolling: away from the top it pauses, back at the top it follows again what it has paused. */
  scrolled: (to: Scrolled) => void;
}

export interface ItemListProps<Item> {
  items: readonly Item[];
  keyOf: (item: Item) => string;
  /** Name of the list for those who do not see it, such as `Events`. */
  label: string;
  renderItem: (item: Item) => ComponentChildren;
  /** Pixels. All rows are of the same height. */
  rowHeight: number;
  /** On narrow screens, where columns stand below each other. */
  narrowRowHeight?: number;
  /** The item whose detail is shown. */
  openKey?: string | undefined;
  onOpen: (item: Item) => void;
  /** Where a row leads to, for a click with ctrl or the middle button. */
  hrefOf?: ((item: Item) => string) | undefined;
  selection?: ReadonlySet<string> | undefined;
  onSelect?: ((selection: ReadonlySet<string>) => void) | undefined;
  /** The end comes near: time to read the next page. */
  onEnd?: (() => void) | undefined;
  /** Pauses when one moves by hand, and follows again where one has scrolled away and back to the top. */
  following?: Following | undefined;
  /** The page's path with its filter: the way back to it leads to the same rows. */
  placeName?: string | undefined;
  /** Below the last row. */
  footer?: ComponentChildren;
}

/** The selection with one key put in or taken out. */
export function toggled(selection: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const next = new Set(selection);
  if (!next.delete(key)) next.add(key);
  return next;
}
