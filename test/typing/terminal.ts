import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { vi } from 'vitest';

/** The result of a typed command. */
export interface Typed {
  exit: number;
  /** The output of both streams, as a reader sees it. */
  output: string;
}

/** The folder and the environment of a terminal. */
export interface TerminalOptions {
  cwd: string;
  env: Readonly<Record<string, string>>;
}

/** How long one command may take, in ms. */
const COMMAND_LIMIT_MS = 120_000;

/** A shell that keeps its folder and its variables from one command to the next. */
export interface Terminal {
  /** Types a command, and waits until the command has ended. */
  type: (command: string) => Promise<Typed>;
  close: () => Promise<void>;
}

/** Opens a shell. */
export function openTerminal(options: TerminalOptions): Terminal {
  const shell = spawn('sh', [], { ...options, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(shell, 'close');
  const read = collect(shell);
  shell.stdin.on('error', () => {}); // `type` reports the end of the shell
  return {
    async type(command) {
      const from = read().length;
      const mark = `ended-${randomUUID()}`;
      // A command must not read the commands typed after it.
      shell.stdin.write(`{ ${command}\n} </dev/null 2>&1\nprintf '\\n${mark} %s\\n' "$?"\n`);
      const end = new RegExp(`\\n${mark} (\\d+)\\n`);
      const printed = () => read().slice(from);
      const hasEnded = () => end.test(printed()) || shell.exitCode !== null;
      await vi.waitUntil(hasEnded, { timeout: COMMAND_LIMIT_MS, interval: 20 }).catch((cause: unknown) => {
        throw new Error(`It has not ended: ${command}\n${printed()}`, { cause });
      });
      const found = end.exec(printed());
      if (found === null) throw new Error(`The shell ended at: ${command}\n${printed()}`);
      return { exit: Number(found[1]), output: found.input.slice(0, found.index) };
    },
    async close() {
      shell.stdin.end();
      await ended;
    },
  };
}

/** A command that runs on in the foreground of its terminal. */
export interface Foreground {
  /** Returns the output so far. */
  output: () => string;
  isRunning: () => boolean;
  /** Presses Ctrl-C, and waits until the command and all processes that print to its terminal have ended. */
  interrupt: () => Promise<void>;
}

/** Runs a command in the foreground of a terminal of its own. Where the test run itself ends, the command is interrupted. */
export function runInForeground(command: string, options: TerminalOptions): Foreground {
  const child = spawn('sh', ['-c', command], { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = collect(child);
  let running = true;
  const ended = once(child, 'close').then(() => (running = false));
  const signal = () => {
    // A terminal sends the signal to the whole process group.
    if (running && child.pid !== undefined) process.kill(-child.pid, 'SIGINT');
  };
  process.once('exit', signal);
  return {
    output,
    isRunning: () => running,
    async interrupt() {
      signal();
      await ended;
      process.off('exit', signal);
    },
  };
}

function collect({ stdout, stderr }: ChildProcess): () => string {
  let text = '';
  for (const stream of [stdout, stderr]) stream?.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  return () => text;
}
