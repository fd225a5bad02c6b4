import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { CommandContext } from '../command-context.ts';
import { CliError } from '../errors.ts';
import { readEnvFile, type Environment } from '../start/env-file.ts';
import { journalFolder, spoolFolder } from '../start/data-folders.ts';
import { enqueueJournal } from './enqueue.ts';
import type { JournalContext } from './journal-context.ts';
import { printJournal } from './list.ts';
import { verifyJournal } from './verify.ts';

const USAGE = `journal takes one of: npm run landline -- journal
  list                                                shows the files, those of the spool as well
  verify                                              reads every record, and every body of the spool
  enqueue --since <time> [--until <time>] [--dry-run]   puts on the queue again what was journalled in that time
A time is 2026-01-31T14:30:00Z, or a duration such as 30m, 2h or 1d before now.`;

const SUBCOMMANDS: Readonly<Record<string, (args: string[], context: JournalContext) => Promise<number>>> = {
  list: printJournal,
  verify: verifyJournal,
  enqueue: enqueueJournal,
};

/**
 * `landline journal …`: runs a subcommand on the receivers' journal.
 *
 * @returns The exit code of the subcommand.
 * @throws  {CliError} `arguments_invalid` or `configuration_invalid`; what the subcommand throws.
 */
export async function journal(args: string[], context: CommandContext): Promise<number> {
  const [name = '', ...rest] = args;
  const subcommand = Object.hasOwn(SUBCOMMANDS, name) ? SUBCOMMANDS[name] : undefined;
  if (subcommand === undefined) throw new CliError('arguments_invalid', USAGE);
  const env = await readEnvFile(context.root, context.env);
  const spoolDir = resolve(context.root, env['SPOOL_DIR'] || spoolFolder(context.root));
  return subcommand(rest, { ...context, env, dir: await findJournal(context.root, env), spoolDir });
}

async function findJournal(root: string, env: Environment): Promise<string> {
  if (env['JOURNAL_DIR'] === '') {
    throw new CliError('configuration_invalid', 'JOURNAL_DIR is set to nothing: no journal is kept.');
  }
  const dir = resolve(root, env['JOURNAL_DIR'] ?? journalFolder(root));
  await readdir(dir).catch((cause: unknown) => {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    const message = isMissing
      ? `There is no journal in ${dir}: a receiver makes it when it starts. Set JOURNAL_DIR if it is elsewhere.`
      : `The journal in ${dir} cannot be read: ${String(cause)}. Read it as the user whom the receiver runs as.`;
    throw new CliError('configuration_invalid', message, { cause });
  });
  return dir;
}
