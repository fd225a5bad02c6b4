/** How long what was gathered waits for more, in ms: a slow call must not hold back the others. */
const MOST_WAIT_MS = 1_000;

/** Gathers items, and hands them on together. */
export interface Gathering<Item> {
  /**
   * Adds an item. It is handed on within a second or so. Where it makes a group full, this resolves once that is handed on.
   *
   * @throws what handing on has thrown: nothing is handed on any more since, and the item is not
   */
  add(item: Item): Promise<void>;
  /** Hands on all items so far. @throws as `add` */
  flush(): Promise<void>;
}

/** How to gather. */
export interface GatherOptions<Item> {
  /** What an item weighs. */
  weigh: (item: Item) => number;
  /** What a group weighs at most; an item that weighs more is a group by itself. */
  mostWeight: number;
  /** How long an item waits for more, in ms. Only tests need another time. */
  waitMs?: number;
}

/** Makes what gathers. Items are handed on one group after the other. Call `flush` at the end in any case: it ends the timer. */
export function gather<Item>(
  handOn: (items: Item[]) => Promise<void>,
  { weigh, mostWeight, waitMs = MOST_WAIT_MS }: GatherOptions<Item>,
): Gathering<Item> {
  const faults: unknown[] = [];
  let items: Item[] = [];
  let weight = 0;
  let timer: NodeJS.Timeout | undefined;
  let handing = Promise.resolve();

  async function handOnAfter(before: Promise<void>, group: Item[]): Promise<void> {
    await before;
    if (faults.length > 0) return;
    try {
      await handOn(group);
    } catch (error) {
      faults.push(error);
    }
  }

  /** Begins to hand on what there is. What it throws comes with the next `add` or `flush`. */
  function take(): void {
    clearTimeout(timer);
    timer = undefined;
    const group = items;
    items = [];
    weight = 0;
    if (group.length > 0) handing = handOnAfter(handing, group);
  }

  async function handed(): Promise<void> {
    await handing;
    if (faults.length > 0) throw faults[0];
  }

  return {
    async add(item) {
      if (faults.length > 0) throw faults[0];
      const added = weigh(item);
      const isFull = weight + added >= mostWeight;
      if (weight + added > mostWeight) take();
      items.push(item);
      weight += added;
      if (weight >= mostWeight) take();
      else timer ??= setTimeout(take, waitMs);
      if (isFull) await handed();
    },
    async flush() {
      take();
      await handed();
    },
  };
}
