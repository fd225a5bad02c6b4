import type { Rebuilds } from '@landline/store';
import type { CommandContext } from '../command-context.ts';
import type { Environment } from '../start/env-file.ts';

/** What the command line asks for. */
export interface WantedRebuild {
  plan: boolean;
  swap: boolean;
  'drop-old': boolean;
  /** The one conversation whose rows are made anew; undefined: all tables. */
  conversation: string | undefined;
  yes: boolean;
  json: boolean;
  rate: number | undefined;
}

/** What a rebuild is asked for with. */
export interface RebuildCall {
  wanted: WantedRebuild;
  context: CommandContext;
  /** The process's environment and that of .env. */
  env: Environment;
  databaseUrl: string;
  rebuilds: Rebuilds;
}
