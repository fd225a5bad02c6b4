/** Selected items by their key. They stay selected when a list that was read anew no longer has them. */
export type Selection<Item> = ReadonlyMap<string, Item>;

/** Makes the selection that has these keys: of items that were selected before, and of those that the list has. */
export function selectKeys<Item extends { id: string }>(
  keys: ReadonlySet<string>,
  before: Selection<Item>,
  listed: readonly Item[],
): Selection<Item> {
  const known = new Map([...before, ...listed.map((item) => [item.id, item] as const)]);
  return new Map([...known].filter(([key]) => keys.has(key)));
}

/** Returns the selected items, each as the list has it now, else as it was when it was selected. */
export function selectedItems<Item extends { id: string }>(
  selection: Selection<Item>,
  listed: readonly Item[],
): readonly Item[] {
  const keys = new Set(selection.keys());
  return [...selectKeys(keys, selection, listed).values()];
}
