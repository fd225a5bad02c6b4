import { cleanError } from './clean-error.ts';

/** Reports each error once: an outage, not every attempt to reconnect. */
export interface ChangeReporter {
  report: (thrown: unknown) => void;
  /** Call it when Redis is well again: the next error is reported even if it is the same. */
  reset: () => void;
}

const MOST_REMEMBERED = 100;

/** Makes a reporter that calls `onError`. */
export function reportChanges(onError: (error: Error) => void): ChangeReporter {
  const reported = new Set<string>();
  return {
    report(thrown) {
      const error = cleanError(thrown);
      if (reported.has(error.message)) return;
      // Some messages name a job, so their number must have a limit.
      if (reported.size >= MOST_REMEMBERED) reported.clear();
      reported.add(error.message);
      onError(error);
    },
    reset() {
      reported.clear();
    },
  };
}
