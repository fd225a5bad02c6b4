import { setTimeout as sleep } from 'node:timers/promises';
import { classifyError } from '../connection/classify-error.ts';
import { LEDGER_WITHOUT_BODIES } from './move-bodies.ts';
import type { EngineTransaction } from './schema-engine.ts';

/** Migrations that change the columns of a table in use, and which table that is. */
const LOCKING: ReadonlyMap<string, string> = new Map([
  ['20261129000100_bodies_by_day', 'webhook_events'],
  [LEDGER_WITHOUT_BODIES, 'webhook_events'],
  ['20261129000500_retention', 'conversations'],
  ['20261129000600_erasures', 'conversations'],
  ['20261130000100_completeness', 'conversations'],
]);

/** How long one attempt waits for the lock, and how long writers have the table for themselves after it, in milliseconds. */
const LOCK_MS = 1_000;
const REST_MS = 2_000;

/** Others use the table. It ends the transaction of a migration, because all writers wait behind one that waits. */
export class LedgerInUseError extends Error {
  /** The migration that needs the lock. */
  readonly migration: string;

  constructor(migration: string) {
    super('The table is in use.');
    this.name = 'LedgerInUseError';
    this.migration = migration;
  }
}

/**
 * Takes the lock that this migration needs of a table that is in use; nothing for all other migrations.
 *
 * @throws LedgerInUseError where others hold the table for longer than a second. Try again after `restFromLock`.
 */
export async function lockLedgerFor(migration: string, { run }: Pick<EngineTransaction, 'run'>): Promise<void> {
  const table = LOCKING.get(migration);
  if (table === undefined) return;
  await run(`SELECT set_config('lock_timeout', '${LOCK_MS}', true)`);
  try {
    await run(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
  } catch (error) {
    throw classifyError(error).code === '55P03' ? new LedgerInUseError(migration) : error;
  }
  await run(`SELECT set_config('lock_timeout', '0', true)`);
}

/** Leaves the table to its writers for a while, or until the signal is aborted. */
export async function restFromLock(signal: AbortSignal): Promise<void> {
  await sleep(REST_MS, undefined, { signal }).catch(() => undefined);
}
