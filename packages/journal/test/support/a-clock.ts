import type { JournalOptions } from '../../src/journal-options.ts';

/** The clock of a test's own process: nothing passes unless the test says so. */
export interface TestClock {
  /** For `createJournal`. */
  options: Required<Pick<JournalOptions, 'now' | 'elapsed'>>;
  /** So many ms pass. */
  pass: (ms: number) => void;
  /** The system's clock is set, by so many ms: back where that is less than 0. */
  set: (ms: number) => void;
}

/** A clock that stands at the beginning of 2026. */
export function aClock(): TestClock {
  let [wall, elapsed] = [1_767_225_600_000, 0];
  return {
    options: { now: () => wall, elapsed: () => elapsed },
    pass(ms) {
      wall += ms;
      elapsed += ms;
    },
    set(ms) {
      wall += ms;
    },
  };
}
