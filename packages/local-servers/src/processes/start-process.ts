import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { endWithUs } from './end-with-us.ts';
import { signalIfThere } from './stop-process.ts';

/** How a process ended: one of the two is null. */
export type Exit = [code: number | null, signal: NodeJS.Signals | null];

/** The user that a process runs as, where this process is root. */
export interface Account {
  uid: number;
  gid: number;
}

/** How to start a process. */
export interface ProcessOptions {
  /** A program: its path, or its name on the PATH of `env`. */
  command: string;
  args?: readonly string[];
  /** All that the process sees of the environment; a variable that is undefined is not there. */
  env: Readonly<Record<string, string | undefined>>;
  /** Its working folder; by default that of this process. */
  cwd?: string;
  /** By default the user of this process. */
  account?: Account | undefined;
  /** Its name in error messages; by default that of its program. */
  name?: string;
  /** What it reads from its standard input; by default nothing. */
  input?: string | Readable;
  /** Where its standard output and its standard error go: into memory by default, to those of this process, or to the end of a file. */
  output?: 'inherit' | { file: string };
  /** How many characters of its output stay in memory, counted from the last one; by default all. */
  outputLimit?: number;
  /** Also gets all output that goes into memory. The stream stays open. */
  log?: Writable | undefined;
  /** Whether the process leads a group of its own, which a terminal's Ctrl-C does not reach. */
  ownGroup?: boolean;
  /** Opens a channel for messages, in this format. The process learns by its end that this process is gone. By default there is none. */
  channel?: 'json' | 'advanced';
  /** Whether this process kills it on exit. A SIGKILL of this process leaves it running. */
  endsWithUs?: boolean;
  /** Whether this process may exit while the other one runs. By default Node waits for the other one's end. */
  outlivesUs?: boolean;
}

/** How long to wait for something. */
export interface WaitLimit {
  /** In milliseconds; by default half a minute. */
  withinMs?: number;
  /** How often to look, in milliseconds; by default every 20. */
  pollMs?: number;
}

/** A process that was started. */
export interface StartedProcess {
  pid: number;
  /** Node's own object, for the channel. */
  child: ChildProcess;
  /** The output that is in memory; empty where it goes elsewhere. */
  output: () => string;
  /** Resolves when it has ended and the last of its output is there. */
  exited: Promise<Exit>;
  isRunning: () => boolean;
  /** Sends a signal; none to a process that has ended. */
  kill: (signal: NodeJS.Signals) => void;
  /** Sends a signal to every process of its group, which must be its own. Does nothing once `exited` has resolved. */
  killGroup: (signal: NodeJS.Signals) => void;
  /** Sends SIGTERM, and SIGKILL when the process still runs after `limitMs`; by default it sends no SIGKILL. Resolves when it has ended. */
  stop: (limitMs?: number) => Promise<Exit>;
  /**
   * Calls `look` again and again until it answers something other than undefined and false.
   *
   * @returns That answer.
   * @throws  An error with the output, when the process ends first or the time is over; what `look` throws.
   */
  until: <T>(look: () => Look<T> | Promise<Look<T>>, limit?: WaitLimit) => Promise<T>;
}

/** An answer, or undefined or false while there is none. */
export type Look<T> = T | undefined | false;

const WITHIN_MS = 30_000;
const POLL_MS = 20;

/**
 * Starts a process.
 *
 * @throws When the program cannot be run, for example because it does not exist.
 */
export async function startProcess(options: ProcessOptions): Promise<StartedProcess> {
  const { output } = options;
  const file = typeof output === 'object' ? await open(output.file, 'a', 0o600) : undefined;
  try {
    return await launch(options, file?.fd);
  } finally {
    // The process has it by now.
    await file?.close();
  }
}

async function launch(options: ProcessOptions, file: number | undefined): Promise<StartedProcess> {
  const child = spawnChild(options, file);
  const exited = untilEnded(child);
  const output = keepOutput(child, options);
  await once(child, 'spawn');
  const { pid } = child;
  const name = options.name ?? basename(options.command);
  if (pid === undefined) throw new Error(`${name} has no process number.`);
  if (options.endsWithUs === true) endWithUs({ pid, exited });
  if (options.outlivesUs === true) child.unref();
  give(options.input, child);
  let isOver = false;
  void exited.then(() => (isOver = true));
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  return {
    pid,
    child,
    output,
    exited,
    isRunning,
    kill: (signal) => void child.kill(signal),
    killGroup: (signal) => (isOver ? undefined : signalIfThere(-pid, signal)),
    stop: (limitMs) => stopChild(child, exited, limitMs),
    until: (look, limit) => untilSeen(look, { name, output, exited, ...limit }),
  };
}

/** Tells how a process ended, in a word: `code 1`, `SIGKILL`. */
export function describeExit([code, signal]: Exit): string {
  return signal ?? `code ${code}`;
}

function spawnChild(options: ProcessOptions, file: number | undefined): ChildProcess {
  const { command, args = [], env, cwd, account, input, channel } = options;
  const output = file ?? (options.output === 'inherit' ? 'inherit' : 'pipe');
  return spawn(command, args, {
    stdio: [input === undefined ? 'ignore' : 'pipe', output, output, ...(channel ? (['ipc'] as const) : [])],
    env,
    detached: options.ownGroup === true,
    ...(cwd !== undefined && { cwd }),
    ...(channel !== undefined && { serialization: channel }),
    ...account,
  });
}

/** Resolves after the last of the output, which may come later than the exit. Node's own `close` never comes where we have closed the channel. */
async function untilEnded(child: ChildProcess): Promise<Exit> {
  const exit = new Promise<Exit>((resolve) => child.once('exit', (...how) => resolve(how)));
  const outputs = [child.stdout, child.stderr].filter((stream) => stream !== null);
  await Promise.all(outputs.map((stream) => new Promise((resolve) => stream.once('close', resolve))));
  return exit;
}

function keepOutput({ stdout, stderr }: ChildProcess, { outputLimit = Infinity, log }: ProcessOptions): () => string {
  let kept = '';
  for (const stream of [stdout, stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      kept = (kept + text).slice(-outputLimit);
      log?.write(text);
    });
  }
  return () => kept;
}

function give(input: ProcessOptions['input'], { stdin }: ChildProcess): void {
  if (input === undefined || stdin === null) return;
  // A process that ends without reading all of it says so by its exit.
  stdin.on('error', () => {});
  if (typeof input === 'string') stdin.end(input);
  else input.pipe(stdin);
}

async function stopChild(child: ChildProcess, exited: Promise<Exit>, limitMs: number | undefined): Promise<Exit> {
  child.kill('SIGTERM');
  const late = limitMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), limitMs);
  try {
    return await exited;
  } finally {
    clearTimeout(late);
  }
}

interface Seen extends WaitLimit, Pick<StartedProcess, 'output' | 'exited'> {
  name: string;
}

async function untilSeen<T>(look: () => Look<T> | Promise<Look<T>>, seen: Seen): Promise<T> {
  const { name, output, exited, withinMs = WITHIN_MS, pollMs = POLL_MS } = seen;
  const deadline = performance.now() + withinMs;
  const end: { exit?: Exit } = {};
  void exited.then((exit) => (end.exit = exit));
  for (;;) {
    // Looked for once more after the end: the last of the output may hold it.
    const { exit } = end;
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (exit !== undefined) throw new Error(`${name} ended (${describeExit(exit)}):\n${output()}`);
    if (performance.now() > deadline) throw new Error(`${name} is not there after ${withinMs} ms:\n${output()}`);
    await wait(pollMs);
  }
}
