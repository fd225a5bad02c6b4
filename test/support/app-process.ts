import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';

/** How a process ended: one of the two is null. */
export type Exit = [code: number | null, signal: NodeJS.Signals | null];

/** An app that runs as a process of its own, from its build. */
export interface AppProcess {
  pid: number;
  /** Where it listens, without a slash at the end. */
  url: string;
  /** Where it tells of its health and its metrics; the receiver has a port of its own for that. */
  healthUrl: string;
  /** Everything that it has printed. */
  output: () => string;
  exited: Promise<Exit>;
  isRunning: () => boolean;
  kill: (signal: NodeJS.Signals) => void;
  /** SIGTERM; resolves when it has ended. */
  stop: () => Promise<Exit>;
}

/** How to start an app. */
export interface AppProcessOptions {
  /** All it gets beside PATH, and a port and an address that no other test has. LOG_LEVEL must let its address be logged: info. */
  env: Readonly<Record<string, string>>;
  /** Arguments of Node itself. */
  nodeArguments?: readonly string[];
}

/** Any free port, and for the receiver no wait for a balancer that is not there. */
const DEFAULTS: Readonly<Record<AppName, Readonly<Record<string, string>>>> = {
  receiver: { PORT: '0', HEALTH_PORT: '0', DRAIN_SECONDS: '0' },
  worker: { WORKER_PORT: '0' },
  dashboard: { DASHBOARD_PORT: '0' },
  initiation: { INITIATION_PORT: '0' },
};

type AppName = 'receiver' | 'worker' | 'dashboard' | 'initiation';

/** What has happened to a process that was asked to start: it may have refused. */
export type Spawned = Omit<AppProcess, 'url' | 'healthUrl'>;

/** Starts an app and does not wait for it. It ends with the test run, however that ends. */
export function spawnApp(app: AppName, { env, nodeArguments = [] }: AppProcessOptions): Spawned {
  const main = fileURLToPath(new URL(`../../apps/${app}/dist/main.js`, import.meta.url));
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [...nodeArguments, main], {
    env: { PATH, HOST: '127.0.0.1', ...DEFAULTS[app], ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  // `close` comes after the last of the output, `exit` may come before it.
  const exited = new Promise<Exit>((resolve) => child.once('close', (...exit) => resolve(exit)));
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  return {
    pid: child.pid ?? 0,
    output: () => output,
    exited,
    isRunning,
    kill: (signal) => void child.kill(signal),
    stop: () => {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

/** Starts an app and waits until it listens; throws with its output when it ends before. */
export async function startApp(app: AppName, options: AppProcessOptions): Promise<AppProcess> {
  const spawned = spawnApp(app, options);
  const urls = await vi.waitUntil(
    () => {
      if (!spawned.isRunning()) throw new Error(`The ${app} did not start:\n${spawned.output()}`);
      const found = [...spawned.output().matchAll(/(Health and metrics on )?(http:\/\/[\d.]+:\d+)/g)];
      const healthUrl = found.find(([, isHealth]) => isHealth !== undefined)?.[2];
      const url = found.find(([, isHealth]) => isHealth === undefined)?.[2];
      // The receiver has two.
      if (app === 'receiver') return url !== undefined && healthUrl !== undefined && { url, healthUrl };
      const only = url ?? healthUrl;
      return only !== undefined && { url: only, healthUrl: only };
    },
    { timeout: 30_000, interval: 20 },
  );
  return { ...spawned, ...urls };
}
