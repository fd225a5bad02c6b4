import { setTimeout as wait } from 'node:timers/promises';
import type { RunningProcess } from '@landline/local-servers';
import { createAppState, type AppState } from './app-state.ts';
import type { App } from './apps.ts';
import { askApp } from './ask-app.ts';
import { checkPorts } from './check-ports.ts';
import type { Environment } from './env-file.ts';
import { keepRunning, STEADY_PACE, type Pace } from './keep-running.ts';
import { startApp } from './start-app.ts';

/** How often an app that is not ready is asked, in ms: at first, and once the operator knows that it is not up. */
const POLL_MS = { first: 100, later: 1_000 };
/** Of an app that has not been up yet: most often its configuration is at fault, and each try repeats the app's own message. */
const STARTING_PACE: Pace = { firstDelayMs: 5_000, maxDelayMs: 300_000, steadyMs: 60_000 };

/** What must be done before an app starts. */
export interface Prerequisite {
  /** Resolves when it is done, or when everything is to be stopped. Never rejects. */
  done: Promise<void>;
  /** Resolves when it is done, or when it is known why not. Never rejects. */
  settled: Promise<void>;
  /** Why it is not done, as a sentence; undefined when it is. */
  fault: () => string | undefined;
}

/** What keeping an app takes. */
export interface KeepAppOptions {
  root: string;
  env: Environment;
  print: (line: string) => void;
  /** Aborts when everything is to be stopped. */
  leaving: AbortSignal;
  /** The process where it runs already. */
  first?: RunningProcess;
  /** How long its ports may be taken at first, in ms: what a killed run has left needs some time to end. */
  portsWithinMs?: number;
  after?: Prerequisite;
}

/** An app that is kept running. */
export interface KeptApp extends Pick<AppState, 'fault' | 'settled' | 'tell'> {
  name: App['name'];
  /** Ends it, and the watch over it. */
  stop: () => Promise<void>;
}

/** Starts an app, starts it again whenever it ends, and knows whether it is up. Its faults are printed and end nothing else. */
export function keepApp(app: App, options: KeepAppOptions): KeptApp {
  const { print, leaving, first, after } = options;
  const name = `The ${app.name}`;
  const state = createAppState(name, print, leaving);
  const kept = keepRunning({
    name,
    print,
    leaving,
    restart: starter(app, options, state),
    // One that runs already has shown that its configuration is right.
    pace: () => (first !== undefined || state.hasBeenUp() ? STEADY_PACE : STARTING_PACE),
    ...(first !== undefined && { first }),
  });
  if (first !== undefined) void watchUntilReady(app, first, { ...options, state });
  const waiting = after?.settled.then(() => (after.fault() === undefined ? state.settled : undefined));
  return {
    name: app.name,
    fault: () => after?.fault() ?? state.fault(),
    settled: Promise.race([state.settled, waiting ?? state.settled]),
    tell: state.tell,
    stop: kept.stop,
  };
}

/** Answers what starts the app each time. */
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
    const told = { ...running, exited };
    void watchUntilReady(app, told, { ...options, state });
    return told;
  };
}

/** Asks a process that has started until it is ready or has ended, and notes which. Never rejects. */
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
    const pollMs = state.isTold() ? POLL_MS.later : POLL_MS.first;
    await wait(pollMs, undefined, { ref: false, signal: over }).catch(() => undefined);
  }
}
