/** Lets so many work at once; the others wait for their turn. */
export interface Turns {
  /** Resolves when it is the caller's turn, with how to give it back. Rejects when those who wait are sent away. */
  take(): Promise<() => void>;
  /** Sends all away who wait. */
  sendAway(error: Error): void;
}

/** Makes turns, `most` of them at once. Those who have waited longest come first. */
export function createTurns(most: number): Turns {
  const waiting = new Set<{ begin: () => void; reject: (error: Error) => void }>();
  let taken = 0;

  function giveBack(): void {
    const [next] = waiting;
    if (next === undefined) {
      taken -= 1;
      return;
    }
    waiting.delete(next);
    next.begin();
  }

  return {
    take() {
      if (taken < most) {
        taken += 1;
        return Promise.resolve(giveBack);
      }
      return new Promise((resolve, reject) => waiting.add({ begin: () => resolve(giveBack), reject }));
    },
    sendAway(error) {
      for (const { reject } of waiting) reject(error);
      waiting.clear();
    },
  };
}
