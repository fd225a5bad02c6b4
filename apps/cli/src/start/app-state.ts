import { setTimeout as wait } from 'node:timers/promises';
import { whenAborted } from './when-aborted.ts';

/**
 * How long `npm start` waits for an app that runs and is not ready, before it prints its summary, in ms. A cold start takes two or three
 * seconds. With less, a slow machine would list apps as not up that come up a moment later.
 */
const SETTLE_WITHIN_MS = 10_000;

/** The state of an app, and whether its fault has been reported to the operator. */
export interface AppState {
  /** Answers why the app is not up, as a sentence; undefined while the app is up. */
  fault: () => string | undefined;
  hasBeenUp: () => boolean;
  /** Answers whether the fault has been reported to the operator, and the app has not been up since. */
  isReported: () => boolean;
  /** Resolves when the app is up or down, and after ten seconds at the latest. Never rejects. */
  settled: Promise<void>;
  /** Notes that the app is ready. Where its fault has been reported, it prints that the app is up. */
  noteUp: () => void;
  /** Notes that the app ended or could not start, and that this has been reported. */
  noteDown: (reason: string) => void;
  /** Notes why the app, which is still starting, is not ready. */
  noteWaiting: (reason: string) => void;
  /** Notes that `fault` has been reported to the operator. */
  noteReported: () => void;
}

/**
 * Makes the state of an app that starts.
 *
 * @param name     The subject of the printed lines: `The worker`.
 * @param leaving  Aborts when everything is to be stopped; then `settled` resolves.
 */
export function createAppState(name: string, print: (line: string) => void, leaving: AbortSignal): AppState {
  let fault: string | undefined = 'It is starting.';
  let hasBeenUp = false;
  let isReported = false;
  const settling = new AbortController();
  const settle = () => settling.abort();
  void wait(SETTLE_WITHIN_MS, undefined, { ref: false, signal: leaving }).then(settle, settle);
  return {
    fault: () => fault,
    hasBeenUp: () => hasBeenUp,
    isReported: () => isReported,
    settled: whenAborted(settling.signal),
    noteUp() {
      if (isReported) print(`${name} is up.`);
      fault = undefined;
      hasBeenUp = true;
      isReported = false;
      settle();
    },
    noteDown(reason) {
      fault = reason;
      isReported = true;
      settle();
    },
    noteWaiting(reason) {
      fault = reason;
    },
    noteReported() {
      isReported = true;
    },
  };
}
