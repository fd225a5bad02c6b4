import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { endWithUs } from './end-with-us.ts';
import { ROOT } from './root.ts';

/** A receiver or a worker, as a process of its own, from its build. It is started again on the same port. */
export interface App {
  name: string;
  port: number;
  /** Where it tells its state with details, and its metrics: of a worker the same. */
  healthPort: number;
  pid: () => number;
  isRunning: () => boolean;
  /** Whether a balancer would send requests there: it runs, and was ready when it was last asked. */
  isServing: () => boolean;
  /** Starts it and waits until it takes requests. */
  start: (options?: StartOptions) => Promise<void>;
  kill: (signal: NodeJS.Signals) => void;
  /** SIGKILL; resolves when it is gone. */
  crash: () => Promise<void>;
  /** SIGTERM; resolves when it is gone. @throws When it does not leave in order and in time. */
  stop: () => Promise<void>;
  /** Whether it says that it and what it needs are well. */
  isReady: () => Promise<boolean>;
  /** How it ended though nobody asked it to, since this was asked last; undefined when it did not. */
  takeOwnEnd: () => string | undefined;
}

/** What one start has beyond the others. */
export interface StartOptions {
  nodeArguments?: readonly string[];
  /** Variables that stand in place of the usual ones. */
  env?: Readonly<Record<string, string>>;
}

/** How to start an app. */
export interface AppOptions {
  name: string;
  app: 'receiver' | 'worker';
  port: number;
  healthPort: number;
  env: Readonly<Record<string, string>>;
  /** What it says is appended here. */
  logFile: string;
}

const START_LIMIT_MS = 60_000;
/** What the design allows between SIGTERM and the end, in ms, and a moment for a busy machine. */
const STOP_LIMIT_MS = 12_000;
/** How often a balancer asks, in ms. */
const BALANCER_MS = 500;
const ASK_MS = 50;
const ASK_LIMIT_MS = 2000;

/** Makes an app; it is started by `start`, and ends with this process, however that ends. */
export function createApp({ name, app, port, healthPort, env, logFile }: AppOptions): App {
  const main = join(ROOT, `apps/${app}/dist/main.js`);
  const log = createWriteStream(logFile, { flags: 'a' });
  let child: ChildProcess | undefined;
  let exited: Promise<void> = Promise.resolve();
  let isAsked = true;
  let isServing = false;
  let ownEnd: string | undefined;
  const isRunning = () => child !== undefined && child.exitCode === null && child.signalCode === null;

  const askReady = (at = port) => ask(`http://127.0.0.1:${at}/health/ready`);

  async function isReady(): Promise<boolean> {
    if (!isRunning()) return false;
    const answer = await askReady(healthPort);
    // A receiver is ready with Redis or the journal; well it is with both.
    return answer !== undefined && (app === 'worker' || (answer.redis === 'ready' && answer.journal === 'ready'));
  }

  let balancer: NodeJS.Timeout | undefined;
  async function look(): Promise<void> {
    if (!isServing && !isRunning()) return;
    const asked = child;
    const answer = await askReady();
    if (asked === child) isServing = answer !== undefined && isRunning();
  }

  return {
    name,
    port,
    healthPort,
    pid: () => child?.pid ?? 0,
    isRunning,
    isServing: () => isServing,
    async start({ nodeArguments = [], env: ownEnv = {} } = {}) {
      const { PATH = '' } = process.env;
      isAsked = false;
      // The channel is how the apps learn that whoever started them is gone.
      const started = spawn(process.execPath, [...nodeArguments, main], {
        env: { PATH, HOST: '127.0.0.1', ...env, ...ownEnv },
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      });
      child = started;
      for (const stream of [started.stdout, started.stderr]) stream?.pipe(log, { end: false });
      exited = new Promise((resolve) =>
        started.once('exit', (code, signal) => {
          isServing = false;
          if (!isAsked) ownEnd = `${name} ended by itself with ${signal ?? `code ${code}`}`;
          resolve();
        }),
      );
      if (started.pid !== undefined) endWithUs({ pid: started.pid, exited });
      const deadline = performance.now() + START_LIMIT_MS;
      // oxlint-disable-next-line no-await-in-loop -- asked again and again
      while (isRunning() && (await askReady()) === undefined) {
        if (performance.now() > deadline) throw new Error(`${name} is not ready; see ${logFile}`);
        // oxlint-disable-next-line no-await-in-loop -- asked again and again
        await wait(ASK_MS);
      }
      isServing = isRunning();
      balancer ??= setInterval(() => void look(), BALANCER_MS).unref();
    },
    kill: (signal) => void child?.kill(signal),
    async crash() {
      isAsked = true;
      child?.kill('SIGKILL');
      await exited;
    },
    async stop() {
      isAsked = true;
      child?.kill('SIGTERM');
      const late = setTimeout(() => child?.kill('SIGKILL'), STOP_LIMIT_MS);
      await exited;
      clearTimeout(late);
      // With 3 a receiver says that its journal holds what Redis does not have.
      if (child !== undefined && child.exitCode !== 0 && !(app === 'receiver' && child.exitCode === 3)) {
        throw new Error(`${name} did not leave in order: ${child.signalCode ?? `code ${child.exitCode}`}`);
      }
    },
    isReady,
    takeOwnEnd() {
      const told = ownEnd;
      ownEnd = undefined;
      return told;
    },
  };
}

async function ask(url: string): Promise<{ redis?: unknown; journal?: unknown } | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ASK_LIMIT_MS) });
    const body: unknown = await answer.json();
    return answer.status === 200 && typeof body === 'object' && body !== null ? body : undefined;
  } catch {
    return undefined;
  }
}
