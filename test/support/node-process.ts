import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { endWithUs } from './end-with-us.ts';

/** How a process ended: one of the two is null. */
export type Exit = [code: number | null, signal: NodeJS.Signals | null];

/** A Node program to run. */
export interface NodeProgram {
  /** The script's absolute path. */
  script: string;
  /** The program's whole environment beside PATH. */
  env: Readonly<Record<string, string>>;
  /** Arguments of Node itself. */
  nodeArguments?: readonly string[];
}

/** Where a program's output goes, and how much of it is kept. */
export interface OutputOptions {
  /** How many of the output's last characters are kept; by default all. */
  outputLimit?: number;
  /** A stream that gets the whole output as well, and stays open. */
  log?: Writable;
}

/** A Node program that runs as a process of its own. */
export interface NodeProcess {
  pid: number;
  /** Returns the output that is kept. */
  output: () => string;
  /** Resolves when the program has ended and the last of its output has come. */
  exited: Promise<Exit>;
  isRunning: () => boolean;
  kill: (signal: NodeJS.Signals) => void;
  /** Sends SIGTERM, and SIGKILL when the process still runs after `limitMs`; by default it sends no SIGKILL. Resolves when it has ended. */
  stop: (limitMs?: number) => Promise<Exit>;
}

/** Starts a Node program without waiting for it. The program ends with this process, however this process ends. */
export function startNode(
  { script, env, nodeArguments = [] }: NodeProgram,
  { outputLimit = Infinity, log }: OutputOptions = {},
): NodeProcess {
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [...nodeArguments, script], {
    env: { PATH, ...env },
    // When the channel closes, an app knows that the process which started it is gone.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-outputLimit);
      log?.write(text);
    });
  }
  // `close` comes after the last of the output, `exit` may come before it.
  const exited = new Promise<Exit>((resolve) => child.once('close', (...exit) => resolve(exit)));
  if (child.pid !== undefined) endWithUs({ pid: child.pid, exited });
  return {
    pid: child.pid ?? 0,
    output: () => output,
    exited,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    kill: (signal) => void child.kill(signal),
    async stop(limitMs) {
      child.kill('SIGTERM');
      const late = limitMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), limitMs);
      const exit = await exited;
      clearTimeout(late);
      return exit;
    },
  };
}
