import type { JournalOptions } from '../../src/journal-options.ts';

/** The clock of a process in a test. Time passes only when the test says so. */
export interface TestClock {
  /** For `createJournal`. */
  options: Required<Pick<JournalOptions, 'now' | 'elapsed'>>;
  /** Lets so many ms pass. */
  pass: (ms: number) => void;
  /** Sets the system's clock by so many ms; a negative number sets it back. */
  set: (ms: number) => void;
}

/** Makes a clock that begins at the beginning of 2026. */
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
