import type { CommandContext } from '../command-context.ts';
import { CliError } from '../errors.ts';
import { readEnvFile } from '../start/env-file.ts';
import { listRejectedRequests } from './list.ts';
import { readmitRequests } from './readmit.ts';
import { showRejected } from './show.ts';

const USAGE = `rejected takes one of: npm run landline -- rejected
  list [filter] [--limit n] [--json]           lists requests that were answered 401, newest first
  show <id> [--body] [--json]                  shows one, with what was found about it; --body: the bytes that were kept
  readmit [filter] [--plan] [--yes] [--json]   verifies them with today's secrets, and enqueues those that pass
A filter is --since <time>, --until <time> and --cause <cause>. A time is 2026-01-31T14:30:00Z, or 30m, 2h or 7d before now.`;

const SUBCOMMANDS: Readonly<Record<string, (args: string[], context: CommandContext) => Promise<number>>> = {
  list: listRejectedRequests,
  show: showRejected,
  readmit: readmitRequests,
};

/**
 * `landline rejected …`: runs a subcommand on the requests that were refused for their signature.
 *
 * @returns The exit code of the subcommand.
 * @throws  {CliError} `arguments_invalid`; what the subcommand throws.
 */
export async function rejected(args: string[], context: CommandContext): Promise<number> {
  const [name = '', ...rest] = args;
  const subcommand = Object.hasOwn(SUBCOMMANDS, name) ? SUBCOMMANDS[name] : undefined;
  if (subcommand === undefined) throw new CliError('arguments_invalid', USAGE);
  return subcommand(rest, { ...context, env: await readEnvFile(context.root, context.env) });
}
