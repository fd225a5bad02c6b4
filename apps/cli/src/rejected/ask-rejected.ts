import { openLookups, type RejectedLookup } from '@landline/store';
import type { CommandContext } from '../command-context.ts';
import { CliError } from '../errors.ts';
import { explainDatabaseFault } from '../explain-database-fault.ts';
import { findReadableDatabase } from '../find-database.ts';

/** How long a question may take, in ms: a person waits for it, and the table may be a large one. */
const STATEMENT_TIMEOUT_MS = 30_000;

/**
 * Asks the database that a command may read for refused requests.
 *
 * @throws {CliError} `configuration_invalid`: there is no database; `query_failed`.
 */
export async function askRejected<T>(
  { root, env }: CommandContext,
  ask: (rejected: RejectedLookup) => Promise<T>,
): Promise<T> {
  const { url } = await findReadableDatabase(root, env);
  const lookups = openLookups({ databaseUrl: url, poolSize: 1, statementTimeoutMs: STATEMENT_TIMEOUT_MS });
  try {
    return await ask(lookups.rejected);
  } catch (cause) {
    throw new CliError('query_failed', explainDatabaseFault(cause), { cause });
  } finally {
    await lookups.close();
  }
}
