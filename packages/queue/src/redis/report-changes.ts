import { cleanError } from './clean-error.ts';

/** Passes each error on once: an outage is told, not every attempt to reconnect. */
export interface ChangeReporter {
  report: (thrown: unknown) => void;
  /** Call when things are well again: the next error is told even if it is the same. */
  reset: () => void;
}

const MOST_REMEMBERED = 100;

/** Makes a reporter in front of `onError`. */
export function reportChanges(onError: (error: Error) => void): ChangeReporter {
  const told = new Set<string>();
  return {
    report(thrown) {
      const error = cleanError(thrown);
      if (told.has(error.message)) return;
      // Some messages name a job: the memory of them must end somewhere.
      if (told.size >= MOST_REMEMBERED) told.clear();
      told.add(error.message);
      onError(error);
    },
    reset() {
      told.clear();
    },
  };
}
