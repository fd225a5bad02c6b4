import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { endWithUs } from './end-with-us.ts';
import { signalIfThere } from './stop-process.ts';

/** How a process ended: by an exit code or by a signal. The other one is null. */
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
  /** The whole environment of the process. A variable that is undefined is left out. */
  env: Readonly<Record<string, string | undefined>>;
  /** The working folder; by default the one of this process. */
  cwd?: string;
  /** The user that the process runs as; by default the user of this process. */
  account?: Account | undefined;
  /** The name of the process in error messages; by default the program's name. */
  name?: string;
  /** The text or stream for its standard input; by default the input is empty. */
  input?: string | Readable;
  /** Where standard output and standard error go: into memory by default, to the outputs of this process, or to the end of a file. */
  output?: 'inherit' | { file: string };
  /** How many characters of its output stay in memory, counted from the last one; by default all. */
  outputLimit?: number;
  /** Receives a copy of all output that goes into memory. The stream stays open. */
  log?: Writable | undefined;
  /** Whether the process leads a group of its own, which a terminal's Ctrl-C does not reach. */
  ownGroup?: boolean;
  /** Opens a channel for messages in this format; by default there is no channel. When the channel closes, this process has ended. */
  channel?: 'json' | 'advanced';
  /** Whether this process kills the new process on exit. A SIGKILL of this process leaves the new process running. */
  endsWithUs?: boolean;
  /** Whether this process may exit while the new process runs. By default Node waits for the end of the new process. */
  outlivesUs?: boolean;
}

/** How long to wait for something. */
export interface WaitLimit {
  /** In milliseconds; by default half a minute. */
  withinMs?: number;
  /** The pause between two checks, in milliseconds; by default 20. */
  pollMs?: number;
}

/** A process that was started. */
export interface StartedProcess {
  pid: number;
  /** Node's object, which has the channel. */
  child: ChildProcess;
  /** Answers the output that is in memory. It is empty where `output` names another destination. */
  output: () => string;
  /** Resolves when the process has ended and all of its output has arrived. */
  exited: Promise<Exit>;
  isRunning: () => boolean;
  /** Sends a signal. Does nothing when the process has ended. */
  kill: (signal: NodeJS.Signals) => void;
  /** Sends a signal to every process of its group. Needs `ownGroup`; does nothing once `exited` has resolved. */
  killGroup: (signal: NodeJS.Signals) => void;
  /**
   * Sends SIGTERM, and SIGKILL when the process still runs after `limitMs`. Without `limitMs` it sends no SIGKILL. Resolves when the
   * process has ended.
   */
  stop: (limitMs?: number) => Promise<Exit>;
  /**
   * Calls `check` again and again until `check` answers something other than undefined and false.
   *
   * @returns That answer.
   * @throws  An error with the output, when the process ends first or the time is over; what `check` throws.
   */
  until: <T>(check: () => Found<T> | Promise<Found<T>>, limit?: WaitLimit) => Promise<T>;
}

/** The answer of a check: undefined or false while the check has found nothing. */
export type Found<T> = T | undefined | false;

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
    // The new process has the file open by now.
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
  writeInput(options.input, child);
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
    until: (check, limit) => untilFound(check, { name, output, exited, ...limit }),
  };
}

/** Describes how a process ended: `code 1`, `SIGKILL`. */
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

/**
 * Resolves when the process has ended and its outputs are closed: the last output may come after the exit. Node's event `close` would not
 * do, because it never comes where this process has closed the channel.
 */
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

function writeInput(input: ProcessOptions['input'], { stdin }: ChildProcess): void {
  if (input === undefined || stdin === null) return;
  // A process may end before it has read all of its input. That is no error here: `exited` says how it ended.
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

interface UntilOptions extends WaitLimit, Pick<StartedProcess, 'output' | 'exited'> {
  name: string;
}

async function untilFound<T>(check: () => Found<T> | Promise<Found<T>>, options: UntilOptions): Promise<T> {
  const { name, output, exited, withinMs = WITHIN_MS, pollMs = POLL_MS } = options;
  const deadline = performance.now() + withinMs;
  const end: { exit?: Exit } = {};
  void exited.then((exit) => (end.exit = exit));
  for (;;) {
    // One more check follows the end of the process: the last output may hold the answer.
    const { exit } = end;
    const found = await check();
    if (found !== undefined && found !== false) return found;
    if (exit !== undefined) throw new Error(`${name} ended (${describeExit(exit)}):\n${output()}`);
    if (performance.now() > deadline) throw new Error(`${name} is not there after ${withinMs} ms:\n${output()}`);
    await wait(pollMs);
  }
}
