import { setTimeout as wait } from 'node:timers/promises';
import { whenAborted } from './when-aborted.ts';

/** How long an app that runs and is not ready holds up the news of the others, in ms. A cold start takes two or three seconds. */
const SETTLE_WITHIN_MS = 10_000;

/** What is known of an app, and who was told of it. */
export interface AppState {
  /** Why the app is not up, as a sentence; undefined while it is. */
  fault: () => string | undefined;
  hasBeenUp: () => boolean;
  /** Whether the operator was told that the app is not up, and not yet that it is. */
  isTold: () => boolean;
  /** Resolves when the app is up or down, and after ten seconds in any case. Never rejects. */
  settled: Promise<void>;
  /** The app is ready. Prints so where the operator was told that it was not. */
  noteUp: () => void;
  /** The app ended or could not start, and the operator is told of that. */
  noteDown: (reason: string) => void;
  /** The app goes on starting. */
  noteWaiting: (reason: string) => void;
  /** The operator is told of what `fault` says. */
  tell: () => void;
}

/**
 * Makes the state of an app that starts.
 *
 * @param name     How the lines begin: `The worker`.
 * @param leaving  Aborts when everything is to be stopped: then nobody waits for `settled` any more.
 */
export function createAppState(name: string, print: (line: string) => void, leaving: AbortSignal): AppState {
  let fault: string | undefined = 'It is starting.';
  let hasBeenUp = false;
  let isTold = false;
  const news = new AbortController();
  const settle = () => news.abort();
  void wait(SETTLE_WITHIN_MS, undefined, { ref: false, signal: leaving }).then(settle, settle);
  return {
    fault: () => fault,
    hasBeenUp: () => hasBeenUp,
    isTold: () => isTold,
    settled: whenAborted(news.signal),
    noteUp() {
      if (isTold) print(`${name} is up.`);
      fault = undefined;
      hasBeenUp = true;
      isTold = false;
      settle();
    },
    noteDown(reason) {
      fault = reason;
      isTold = true;
      settle();
    },
    noteWaiting(reason) {
      fault = reason;
    },
    tell() {
      isTold = true;
    },
  };
}
