import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { describeExit, type Exit, type StartedProcess } from '@landline/local-servers';
import { startNode, type NodeProgram } from '../support/node-process.ts';
import { get, isReady as answersReady } from '../support/post.ts';
import { ROOT } from '../support/root.ts';

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

/** What one start has beyond the others; variables stand in place of the usual ones. */
export type StartOptions = Partial<Omit<NodeProgram, 'script'>>;

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
/**
 * How long an app may take between SIGTERM and its end, in ms. The design allows 12 s at most, with the two in which a receiver still serves: an app that
 * takes longer says so itself, by its exit code. The rest is for a machine that stands still for a while.
 */
const STOP_LIMIT_MS = 30_000;
/** How often a balancer asks, in ms. */
const BALANCER_MS = 500;
const ASK_MS = 50;
const ASK_LIMIT_MS = 2000;
/** What is kept of what an app says; all of it is in its log. */
const OUTPUT_LIMIT = 4000;

/** Makes an app; it is started by `start`, and ends with this process, however that ends. */
export function createApp({ name, app, port, healthPort, env, logFile }: AppOptions): App {
  const script = join(ROOT, `apps/${app}/dist/main.js`);
  const log = createWriteStream(logFile, { flags: 'a' });
  let running: StartedProcess | undefined;
  let isAsked = true;
  let isServing = false;
  let ownEnd: string | undefined;
  const isRunning = () => running?.isRunning() ?? false;
  const takesRequests = () => answersReady(`http://127.0.0.1:${port}`);

  async function isReady(): Promise<boolean> {
    if (!isRunning()) return false;
    const answer = await askHealth(healthPort);
    // A receiver is ready with Redis or the journal; well it is with both, and with its spool.
    const needed = app === 'worker' ? [] : [answer?.redis, answer?.journal, answer?.spool];
    return answer !== undefined && needed.every((state) => state === 'ready');
  }

  let balancer: NodeJS.Timeout | undefined;
  async function look(): Promise<void> {
    if (!isServing && !isRunning()) return;
    const asked = running;
    const answer = await takesRequests();
    if (asked === running) isServing = answer && isRunning();
  }

  function noteEnd(exit: Exit): void {
    isServing = false;
    if (!isAsked) ownEnd = `${name} ended by itself with ${describeExit(exit)}`;
  }

  return {
    name,
    port,
    healthPort,
    pid: () => running?.pid ?? 0,
    isRunning,
    isServing: () => isServing,
    async start({ env: ownEnv, ...options } = {}) {
      isAsked = false;
      const program = { script, env: { HOST: '127.0.0.1', ...env, ...ownEnv }, ...options };
      running = await startNode(program, { outputLimit: OUTPUT_LIMIT, log });
      void running.exited.then(noteEnd);
      const isSettled = async () => !isRunning() || takesRequests();
      await running.until(isSettled, { withinMs: START_LIMIT_MS, pollMs: ASK_MS });
      isServing = isRunning();
      balancer ??= setInterval(() => void look(), BALANCER_MS).unref();
    },
    kill: (signal) => running?.kill(signal),
    async crash() {
      isAsked = true;
      running?.kill('SIGKILL');
      await running?.exited;
    },
    async stop() {
      isAsked = true;
      const exit: Exit = (await running?.stop(STOP_LIMIT_MS)) ?? [0, null];
      const [code] = exit;
      // With 3 a receiver says that its journal holds what Redis does not have.
      if (code !== 0 && !(app === 'receiver' && code === 3))
        throw new Error(`${name} did not leave in order: ${describeExit(exit)}`);
    },
    isReady,
    takeOwnEnd() {
      const told = ownEnd;
      ownEnd = undefined;
      return told;
    },
  };
}

/** What a process tells of itself and of what it needs; undefined when it is not ready, or does not answer. */
async function askHealth(port: number): Promise<{ redis?: unknown; journal?: unknown; spool?: unknown } | undefined> {
  try {
    const { status, body } = await get(`http://127.0.0.1:${port}/health/ready`, { limitMs: ASK_LIMIT_MS });
    const told: unknown = JSON.parse(body);
    return status === 200 && typeof told === 'object' && told !== null ? told : undefined;
  } catch {
    return undefined;
  }
}
