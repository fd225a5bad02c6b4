import type { UrlTry } from '@landline/operations';
import type { Environment } from './start/env-file.ts';

/** The surroundings of a command: folder, environment and terminal. */
export interface CommandContext {
  /** The repository's folder. */
  root: string;
  /** The process's environment. */
  env: Environment;
  /** Prints a part of the command's answer: one line or several. */
  print: (line: string) => void;
  /** Prints text beside the answer, such as a fault or a duration; by default `print` does. */
  printError?: (line: string) => void;
  /**
   * Writes bytes of the command's answer, for a command whose answer is no text. It resolves with false when nobody reads the
   * answer any more.
   */
  write?: (bytes: Uint8Array) => Promise<boolean>;
  /** Asks a person who sits at a terminal; undefined where nobody does. Resolves with whether the answer is yes. */
  ask?: (question: string) => Promise<boolean>;
  /** Makes a GET of a public URL of ours; by default over the Internet. */
  tryUrl?: (url: string) => Promise<UrlTry>;
  /** Whether the answer goes to a terminal; by default it does not. */
  isTerminal?: boolean;
  /** Width of the terminal, in columns. */
  width: number;
}
