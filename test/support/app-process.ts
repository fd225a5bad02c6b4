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

const PORT_VARIABLE = { receiver: 'PORT', worker: 'WORKER_PORT', dashboard: 'DASHBOARD_PORT' } as const;

/** What has happened to a process that was asked to start: it may have refused. */
export type Spawned = Omit<AppProcess, 'url'>;

/** Starts an app and does not wait for it. It ends with the test run, however that ends. */
export function spawnApp(app: keyof typeof PORT_VARIABLE, { env, nodeArguments = [] }: AppProcessOptions): Spawned {
  const main = fileURLToPath(new URL(`../../apps/${app}/dist/main.js`, import.meta.url));
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [...nodeArguments, main], {
    env: { PATH, HOST: '127.0.0.1', [PORT_VARIABLE[app]]: '0', ...env },
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
export async function startApp(app: keyof typeof PORT_VARIABLE, options: AppProcessOptions): Promise<AppProcess> {
  const spawned = spawnApp(app, options);
  const url = await vi.waitUntil(
    () => {
      if (!spawned.isRunning()) throw new Error(`The ${app} did not start:\n${spawned.output()}`);
      return /http:\/\/[\d.]+:\d+/.exec(spawned.output())?.[0];
    },
    { timeout: 30_000, interval: 20 },
  );
  return { ...spawned, url };
}
