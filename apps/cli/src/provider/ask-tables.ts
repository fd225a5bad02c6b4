import { openReconcileReader, type OpenReconcileReader, type ReconcileStore } from '@landline/store';
import type { CommandContext } from '../command-context.ts';
import { CliError } from '../errors.ts';
import { explainDatabaseFault } from '../explain-database-fault.ts';
import { findReadableDatabase } from '../find-database.ts';

/** How long a question may take, in ms: a person waits for it, and the tables may be large ones. */
const STATEMENT_TIMEOUT_MS = 30_000;

/**
 * Makes the look-ups of a look at the provider's side, which open the database when they are asked. Where there is none, the first says so beside the answer, and
 * all throw.
 *
 * @param context  Its environment is that of .env as well.
 */
export function askTables(context: CommandContext): Pick<ReconcileStore, 'arrivals' | 'refusedBetween'> {
  const { print, printError = print, root, env } = context;
  let fault: CliError | undefined;

  async function open(): Promise<OpenReconcileReader> {
    const { url } = await findReadableDatabase(root, env);
    return openReconcileReader({ databaseUrl: url, statementTimeoutMs: STATEMENT_TIMEOUT_MS });
  }

  async function ask<T>(question: (reader: OpenReconcileReader) => Promise<T>): Promise<T> {
    if (fault !== undefined) throw fault;
    let reader: OpenReconcileReader | undefined;
    try {
      reader = await open();
      return await question(reader);
    } catch (cause) {
      fault = cause instanceof CliError ? cause : new CliError('query_failed', explainDatabaseFault(cause), { cause });
      printError(`What the tables say could not be looked up. ${fault.message}`);
      throw fault;
    } finally {
      await reader?.close();
    }
  }

  return {
    arrivals: (from, to) => ask((reader) => reader.arrivals(from, to)),
    refusedBetween: (from, to) => ask((reader) => reader.refusedBetween(from, to)),
  };
}
