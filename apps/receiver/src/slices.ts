/** How many slices run in one turn of the event loop: small events are answered between two turns. */
const SLICES_PER_TURN = 2;

/** Shares the event loop between bodies that are hashed and the events beside them. */
export interface Slices {
  /** Resolves when the next slice of work may run. The first to ask is the first to run. */
  next(): Promise<void>;
}

/** Makes slices for all large bodies of a receiver. */
export function createSlices(): Slices {
  const waiting: (() => void)[] = [];
  let isScheduled = false;

  function run(): void {
    isScheduled = false;
    for (const begin of waiting.splice(0, SLICES_PER_TURN)) begin();
    schedule();
  }

  function schedule(): void {
    if (isScheduled || waiting.length === 0) return;
    isScheduled = true;
    setImmediate(run);
  }

  return {
    next: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        schedule();
      }),
  };
}
