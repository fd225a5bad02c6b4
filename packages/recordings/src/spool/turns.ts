/** Lets few work at once; the others wait for their turn, in the order in which they came. */
export interface Turns {
  /** Resolves with the function that gives the turn back. */
  take(): Promise<() => void>;
  /** Whether the next to ask must wait. */
  areTaken(): boolean;
}

/** Makes turns, of which so many may be taken at once. */
export function createTurns(atOnce: number): Turns {
  const waiting: (() => void)[] = [];
  let taken = 0;

  function giveBack(): void {
    const next = waiting.shift();
    if (next === undefined) taken -= 1;
    else next();
  }

  return {
    areTaken: () => taken >= atOnce,
    take() {
      if (taken < atOnce) {
        taken += 1;
        return Promise.resolve(giveBack);
      }
      return new Promise((resolve) => waiting.push(() => resolve(giveBack)));
    },
  };
}
