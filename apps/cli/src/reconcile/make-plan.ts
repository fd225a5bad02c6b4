import { planReconciliation, type ReconcilePlan } from '@landline/operations';
import { ProviderError } from '@landline/provider';
import { openReconcileReader } from '@landline/store';
import type { CommandContext } from '../command-context.ts';
import { CliError } from '../errors.ts';
import { explainDatabaseFault } from '../explain-database-fault.ts';
import { findReadableDatabase } from '../find-database.ts';
import { openForCommand } from '../provider/open-for-command.ts';
import type { Environment } from '../start/env-file.ts';
import type { ReconcileSettings } from './read-settings.ts';

/** What is compared. */
export interface Comparison {
  settings: ReconcileSettings;
  /** Unix milliseconds; undefined: the window of the schedule. */
  since: number | undefined;
  /** The process's environment and that of .env. */
  env: Environment;
  signal: AbortSignal;
}

/**
 * Compares the tables with what the provider lists, and changes nothing: a role that may only read is enough.
 *
 * @throws {CliError} `configuration_invalid`, `query_failed`. ProviderError: its message says what to do. The signal's reason.
 */
export async function makePlan(
  { settings, since, env, signal }: Comparison,
  context: CommandContext,
): Promise<ReconcilePlan> {
  const { apiKey, apiUrl, windowHours, keepsAudio, keptDays } = settings;
  const { url } = await findReadableDatabase(context.root, env);
  const store = openReconcileReader({ databaseUrl: url });
  const provider = openForCommand({ apiKey, url: apiUrl }, context);
  try {
    return await planReconciliation({ store, provider, windowHours, keepsAudio, keptDays, since, signal });
  } catch (cause) {
    if (signal.aborted || cause instanceof ProviderError) throw cause;
    throw new CliError('query_failed', explainDatabaseFault(cause), { cause });
  } finally {
    provider.close();
    await store.close();
  }
}
