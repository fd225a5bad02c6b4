import type { Environment } from './start/env-file.ts';

/** What a command is given of the world. */
export interface CommandContext {
  /** The repository's folder. */
  root: string;
  /** The process's environment. */
  env: Environment;
  /** Prints one line, or several. */
  print: (line: string) => void;
  /** Columns of the terminal. */
  width: number;
}
