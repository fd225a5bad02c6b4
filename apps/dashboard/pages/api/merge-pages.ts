/** A page of a list, newest first. */
export interface Page<Item> {
  items: readonly Item[];
  next: string | null;
}

/** What a list shows, and what waits to be shown. */
export interface Listed<Item> extends Page<Item> {
  /** Items that came while one does not follow, newest first. */
  waiting: readonly Item[];
}

/** How items are told apart. */
type KeyOf<Item> = (item: Item) => string;

/** Takes the old object where the new one says the same, so that its row is not drawn anew. */
function keepSame<Item>(old: ReadonlyMap<string, Item>, item: Item, keyOf: KeyOf<Item>): Item {
  const before = old.get(keyOf(item));
  return before !== undefined && JSON.stringify(before) === JSON.stringify(item) ? before : item;
}

/** Whether both hold the same objects in the same order. */
function isSame<Item>(a: readonly Item[], b: readonly Item[]): boolean {
  return a.length === b.length && a.every((item, n) => item === b[n]);
}

/** Where the page ends within the list: the place behind the last item that both have, or -1 where they share none. */
function endOfPage<Item>(list: readonly Item[], pageKeys: ReadonlySet<string>, keyOf: KeyOf<Item>): number {
  return list.findLastIndex((item) => pageKeys.has(keyOf(item))) + 1 || -1;
}

/**
 * Puts a first page that was read anew on top of a list. Items of the page's span that it no longer has are taken out.
 *
 * Where page and list share nothing, more has come than a page holds: the page takes the list's place, since there would be a gap.
 */
export function mergeFirstPage<Item>(list: Listed<Item>, page: Page<Item>, keyOf: KeyOf<Item>): Listed<Item> {
  const old = new Map(list.items.map((item) => [keyOf(item), item]));
  const fresh = page.items.map((item) => keepSame(old, item, keyOf));
  const keys = new Set(fresh.map(keyOf));
  const end = endOfPage(list.items, keys, keyOf);
  const tail = end === -1 || page.next === null ? [] : list.items.slice(end).filter((item) => !keys.has(keyOf(item)));
  const items = [...fresh, ...tail];
  const next = tail.length > 0 ? list.next : page.next;
  if (isSame(items, list.items) && next === list.next && list.waiting.length === 0) return list;
  return { items: isSame(items, list.items) ? list.items : items, next, waiting: [] };
}

/** Takes from a first page what is known already, in its place; what is new waits. Nothing moves. */
export function holdFirstPage<Item>(list: Listed<Item>, page: Page<Item>, keyOf: KeyOf<Item>): Listed<Item> {
  const old = new Map(list.items.map((item) => [keyOf(item), item]));
  const read = new Map(page.items.map((item) => [keyOf(item), keepSame(old, item, keyOf)]));
  const items = list.items.map((item) => read.get(keyOf(item)) ?? item);
  const waiting = page.items.filter((item) => !old.has(keyOf(item)));
  if (isSame(items, list.items) && waiting.length === 0 && list.waiting.length === 0) return list;
  return { items: isSame(items, list.items) ? list.items : items, next: list.next, waiting };
}

/** Puts the next page behind the list. */
export function addPage<Item>(list: Listed<Item>, page: Page<Item>, keyOf: KeyOf<Item>): Listed<Item> {
  const keys = new Set(list.items.map(keyOf));
  const items = [...list.items, ...page.items.filter((item) => !keys.has(keyOf(item)))];
  return { items, next: page.next, waiting: list.waiting };
}
