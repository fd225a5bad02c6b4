import { readQuery } from '@landline/store';
import type { CommandContext } from '../command-context.ts';
import { CliError } from '../errors.ts';
import { findReadableDatabase } from '../find-database.ts';
import { explainDatabaseFault } from '../explain-database-fault.ts';
import { formatTable } from '../format-table.ts';
import { readEnvFile } from '../start/env-file.ts';

const NOTE =
  'Note: READER_DATABASE_URL is not set, so this runs as the user of DATABASE_URL, in a transaction that is read only.';

/**
 * `landline sql`: runs one query that can only read, and prints its rows.
 *
 * @param query  A query that `checkQuery` has passed.
 * @returns      The exit code 0.
 * @throws       {CliError} `query_failed`: the server's message. `configuration_invalid`: there is no database.
 */
export async function runSql(query: string, context: CommandContext): Promise<number> {
  const { root, env, print, width } = context;
  const { url, isReader } = await findReadableDatabase(root, await readEnvFile(root, env));
  if (!isReader) print(NOTE);
  const rows = await readQuery(url, query).catch((cause: unknown) => {
    throw new CliError('query_failed', explainDatabaseFault(cause), { cause });
  });
  print(formatTable(rows, width));
  return 0;
}
