import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@landline/process';
import { migrate, prepareTables } from '@landline/store';

/** How often to try again while the database is away, in milliseconds. */
const RETRY_MS = 2_000;

const OLD_BODIES = 'Bodies of an older version are in the ledger';

/** The database, and whom to tell of it. */
export interface PrepareOptions {
  /** The URL for migrations. */
  databaseUrl: string;
  logger: Logger;
  /** Aborted when the worker is told to stop. */
  leaving: AbortSignal;
  /** From when on bodies are kept, in unix milliseconds; undefined: all are. */
  bodiesSince?: number | undefined;
}

/**
 * Brings the tables up to date, as far as this version needs, however long the database is away.
 *
 * @returns  `stopped` when the worker was told to stop first. `usable`: `finishTables` has something left to do.
 */
export async function readyTables(options: PrepareOptions): Promise<'stopped' | 'usable' | 'done'> {
  const { databaseUrl, logger, leaving } = options;
  // oxlint-disable no-await-in-loop -- one attempt after the other
  while (!leaving.aborted) {
    try {
      const { applied, left } = await prepareTables(databaseUrl, { signal: leaving });
      logMigrated(applied, logger);
      if (leaving.aborted) break;
      if (left === "the owner's") logger.info(`${OLD_BODIES} until their owner runs "landline migrate"`);
      return left === 'ours' ? 'usable' : 'done';
    } catch (error) {
      logger.error(`The tables are not ready, trying again: ${reasonOf(error)}`);
      await rest(leaving);
    }
  }
  // oxlint-enable no-await-in-loop
  return 'stopped';
}

/**
 * Does what the migrations left, while the worker works: it moves the bodies that an older version kept in the ledger. It resolves when that is done
 * or when the worker is told to stop.
 */
export async function finishTables({ databaseUrl, logger, leaving, bodiesSince }: PrepareOptions): Promise<void> {
  logger.info(`${OLD_BODIES}, and are moved to their own table meanwhile`);
  // oxlint-disable no-await-in-loop -- one attempt after the other
  while (!leaving.aborted) {
    try {
      const { applied } = await migrate(databaseUrl, { signal: leaving, bodiesSince });
      logMigrated(applied, logger);
      return;
    } catch (error) {
      logger.warn(`${OLD_BODIES}, trying again to move them: ${reasonOf(error)}`);
      await rest(leaving);
    }
  }
  // oxlint-enable no-await-in-loop
}

function logMigrated(applied: readonly string[], logger: Logger): void {
  for (const name of applied) logger.info(`Migrated: ${name}`);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function rest(leaving: AbortSignal): Promise<void> {
  await sleep(RETRY_MS, undefined, { signal: leaving }).catch(() => undefined);
}
