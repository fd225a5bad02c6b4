import { randomUUID } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { startProcess } from '@landline/local-servers';

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
export async function openTerminal(options: TerminalOptions): Promise<Terminal> {
  const keys = new PassThrough();
  const shell = await startProcess({ ...options, command: 'sh', input: keys, endsWithUs: true });
  return {
    async type(command) {
      const from = shell.output().length;
      const mark = `ended-${randomUUID()}`;
      const printed = () => shell.output().slice(from);
      // No command may read what is typed after it.
      keys.write(`{ ${command}\n} </dev/null 2>&1\nprintf '\\n${mark} %s\\n' "$?"\n`);
      const end = new RegExp(`\\n${mark} (\\d+)\\n`);
      const hasEnded = () => end.exec(printed()) ?? undefined;
      const found = await shell.until(hasEnded, { withinMs: COMMAND_LIMIT_MS }).catch((cause: unknown) => {
        throw new Error(`It has not ended: ${command}\n${printed()}`, { cause });
      });
      return { exit: Number(found[1]), output: found.input.slice(0, found.index) };
    },
    async close() {
      keys.end();
      await shell.exited;
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
export async function runInForeground(command: string, options: TerminalOptions): Promise<Foreground> {
  const { output, exited, killGroup } = await startProcess({
    ...options,
    command: 'sh',
    args: ['-c', command],
    ownGroup: true,
  });
  let running = true;
  const ended = exited.then(() => (running = false));
  // A terminal sends it to the whole group.
  const signal = () => killGroup('SIGINT');
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
