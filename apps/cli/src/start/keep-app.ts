import { setTimeout as wait } from 'node:timers/promises';
import type { RunningProcess } from '@landline/local-servers';
import { createAppState, type AppState } from './app-state.ts';
import type { App } from './apps.ts';
import { askApp } from './ask-app.ts';
import { checkPorts } from './check-ports.ts';
import type { Environment } from './env-file.ts';
import { keepRunning, STEADY_PACE, type Pace } from './keep-running.ts';
import { startApp } from './start-app.ts';

/** The pause between two questions whether an app is ready, in ms: at first, and after its fault has been reported. */
const POLL_MS = { first: 100, later: 1_000 };
/**
 * The pauses before an app is started again that has never been up. Its configuration is most often at fault, and each try prints the app's
 * message again: so these pauses are longer than `STEADY_PACE`.
 */
const STARTING_PACE: Pace = { firstDelayMs: 5_000, maxDelayMs: 300_000, steadyMs: 60_000 };

/** Work that must be done before an app starts. */
export interface Prerequisite {
  /** Resolves when the work is done, or when everything is to be stopped. Never rejects. */
  done: Promise<void>;
  /** Resolves when the work is done, or when the first try has failed. Never rejects. */
  settled: Promise<void>;
  /** Answers why the work is not done, as a sentence; undefined when it is done. */
  fault: () => string | undefined;
}

/** How to keep an app running. */
export interface KeepAppOptions {
  root: string;
  env: Environment;
  print: (line: string) => void;
  /** Aborts when everything is to be stopped. */
  leaving: AbortSignal;
  /** The app's process, where it runs already. */
  first?: RunningProcess;
  /** How long to wait for the app's ports at the first start, in ms: the apps of a killed run need some time to end. */
  portsWithinMs?: number;
  after?: Prerequisite;
}

/** An app that is kept running. */
export interface KeptApp extends Pick<AppState, 'fault' | 'settled' | 'noteReported'> {
  name: App['name'];
  /** Ends the app, and does not start it again. */
  stop: () => Promise<void>;
}

/**
 * Starts an app, and starts it again whenever it ends. It prints the app's faults, and they end no other process.
 *
 * @returns The app's state, and how to stop it.
 */
export function keepApp(app: App, options: KeepAppOptions): KeptApp {
  const { print, leaving, first, after } = options;
  const name = `The ${app.name}`;
  const state = createAppState(name, print, leaving);
  const kept = keepRunning({
    name,
    print,
    leaving,
    restart: starter(app, options, state),
    // An app that runs already has shown that its configuration is right.
    pace: () => (first !== undefined || state.hasBeenUp() ? STEADY_PACE : STARTING_PACE),
    ...(first !== undefined && { first }),
  });
  if (first !== undefined) void watchUntilReady(app, first, { ...options, state });
  const waiting = after?.settled.then(() => (after.fault() === undefined ? state.settled : undefined));
  return {
    name: app.name,
    fault: () => after?.fault() ?? state.fault(),
    settled: Promise.race([state.settled, waiting ?? state.settled]),
    noteReported: state.noteReported,
    stop: kept.stop,
  };
}

/** Answers a function that starts the app. */
function starter(app: App, options: KeepAppOptions, state: AppState): () => Promise<RunningProcess> {
  const { root, env, leaving, after } = options;
  let withinMs = options.portsWithinMs ?? 0;
  const startWhenPortsAreFree = async () => {
    await checkPorts(app, env, { withinMs, leaving });
    withinMs = 0;
    return startApp(root, app, env);
  };
  return async () => {
    await after?.done;
    leaving.throwIfAborted();
    const running = await startWhenPortsAreFree().catch((error: unknown) => {
      state.noteDown(error instanceof Error ? error.message : String(error));
      throw error;
    });
    const exited = running.exited.then((how) =>
      state.hasBeenUp() ? how : `${how}, while starting; its own message is above`,
    );
    const watched = { ...running, exited };
    void watchUntilReady(app, watched, { ...options, state });
    return watched;
  };
}

/** Asks an app again and again until it is ready or has ended, and notes the outcome. Never rejects. */
async function watchUntilReady(
  app: App,
  { exited }: RunningProcess,
  { env, leaving, state }: KeepAppOptions & { state: AppState },
): Promise<void> {
  const ended = new AbortController();
  void exited.then((how) => {
    ended.abort();
    return state.noteDown(`It ended (${how}).`);
  });
  const over = AbortSignal.any([ended.signal, leaving]);
  while (!over.aborted) {
    const answer = await askApp(app, env);
    if (over.aborted) return;
    if (answer.isReady) return state.noteUp();
    state.noteWaiting(`It is not ready: ${answer.text}`);
    const pollMs = state.isReported() ? POLL_MS.later : POLL_MS.first;
    await wait(pollMs, undefined, { ref: false, signal: over }).catch(() => undefined);
  }
}
