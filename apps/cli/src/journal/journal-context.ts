import type { CommandContext } from '../command-context.ts';

/** The surroundings of a subcommand of `journal`. */
export interface JournalContext extends CommandContext {
  /** The folder of the journal; it exists. */
  dir: string;
  /** The folder of the spool, which may not exist. */
  spoolDir: string;
}
