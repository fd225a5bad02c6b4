/** Repeatable random numbers: the same seed gives the same numbers. */
export interface SeededRandom {
  /** Returns a number from 0 up to, and without, 1. */
  next: () => number;
  /** Returns a whole number from 0 up to, and without, `limit`. */
  below: (limit: number) => number;
  /** Returns the same items in random order. */
  shuffled: <T>(items: readonly T[]) => T[];
}

/** Makes random numbers by mulberry32, which is small and good enough for shuffles. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    next,
    below,
    shuffled(items) {
      const result = [...items];
      for (const [i, item] of items.entries()) {
        const j = below(i + 1);
        result[i] = result[j] ?? item;
        result[j] = item;
      }
      return result;
    },
  };
}
