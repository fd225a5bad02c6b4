import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

/** How long a test waits for a program's output, in milliseconds: on a loaded machine Node starts in seconds. */
export const START_LIMIT_MS = 20_000;

/** A program that runs in a process of its own. */
export interface RunningProgram {
  child: ChildProcess;
  /** Its standard output so far. */
  output: () => string;
  /** Its standard error so far. */
  errors: () => string;
  /** Resolves with its exit code and signal when it has ended and all of its output is there. */
  ended: Promise<unknown[]>;
}

/**
 * Runs a module's text in a process of its own, with the built package as `landline`. The process has a channel to this one. It is
 * killed when the test ends.
 */
export function runProgram(text: string): RunningProgram {
  const built = new URL('../../dist/index.js', import.meta.url).href;
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', `import * as landline from '${built}';\n${text}`],
    {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    },
  );
  let output = '';
  let errors = '';
  child.stdout?.on('data', (part: Buffer) => (output += part.toString()));
  child.stderr?.on('data', (part: Buffer) => (errors += part.toString()));
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, output: () => output, errors: () => errors, ended: endOf(child) };
}

/** Not by `close`, which Node 20 does not emit once the channel is closed. */
async function endOf(child: ChildProcess): Promise<unknown[]> {
  const outputs = [child.stdout, child.stderr].filter((stream) => stream !== null);
  const [exit] = await Promise.all([once(child, 'exit'), ...outputs.map((stream) => once(stream, 'end'))]);
  return exit;
}
