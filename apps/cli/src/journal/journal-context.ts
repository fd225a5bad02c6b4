import type { CommandContext } from '../command-context.ts';

/** What a subcommand of `journal` is given. */
export interface JournalContext extends CommandContext {
  /** The journal's folder; it is there. */
  dir: string;
}
