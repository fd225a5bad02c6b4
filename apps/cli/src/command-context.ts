import type { Environment } from './start/env-file.ts';

/** What a command is given of the world. */
export interface CommandContext {
  /** The repository's folder. */
  root: string;
  /** The process's environment. */
  env: Environment;
  /** Prints one line, or several, of what the command answers. */
  print: (line: string) => void;
  /** Prints what is no part of the answer: a fault, how long it took. By default as `print`. */
  printError?: (line: string) => void;
  /** Columns of the terminal. */
  width: number;
}
