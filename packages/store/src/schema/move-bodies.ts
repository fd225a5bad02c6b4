import { setTimeout as sleep } from 'node:timers/promises';
import { classifyError } from '../connection/classify-error.ts';
import { readDatabaseUrl } from '../connection/database-url.ts';
import { settingsStatement } from '../connection/transaction-settings.ts';
import { withSchemaEngine, type EngineTransaction } from './schema-engine.ts';

/** The migration that drops the ledger's column `body`, once all bodies are moved. Nothing else needs it, so nobody waits for it. */
export const LEDGER_WITHOUT_BODIES = '20261129000101_ledger_without_bodies';

/** How many rows a batch has at most, and how many bytes of bodies as they are stored. Workers wait for these rows until the batch is committed. */
const BATCH_ROWS = 1_000;
const BATCH_BYTES = 8 * 1024 * 1024;

/** How long to wait where workers hold all rows that are left in a place, in milliseconds. */
const WAIT_MS = 100;

/** How long a batch may wait for a lock, in milliseconds. */
const LOCK_TIMEOUT_MS = 10_000;

/** How to move bodies. */
export interface MoveOptions {
  /** Aborted when no further batch is to begin. */
  signal: AbortSignal;
  /** Bodies of events that were received before are taken out, and not moved: unix milliseconds. Undefined: all are moved. */
  since?: number | undefined;
}

/** The pages of the ledger that `landline_move_bodies` reads at once. */
const PAGES = 64;

/**
 * Moves the bodies that the ledger holds to webhook_bodies, in batches. Each batch is a transaction of its own, so one that is killed has
 * no effect, and the next call goes on behind the last one that was committed. After a batch it rests for as long as the batch took, because
 * events on their way need the same disk.
 *
 * @throws  StoreError. What is moved by then stays moved.
 */
export async function moveBodies(databaseUrl: string, { signal, since }: MoveOptions): Promise<void> {
  // oxlint-disable no-await-in-loop -- one batch after the other
  while (!signal.aborted) {
    const begun = performance.now();
    const outcome = await moveBatch(databaseUrl, since);
    if (outcome === 'done') return;
    const restMs = outcome === 'waits' ? WAIT_MS : performance.now() - begun;
    await sleep(restMs, undefined, { signal }).catch(() => undefined);
  }
  // oxlint-enable no-await-in-loop
}

/** @returns What `landline_move_bodies` says; the first of the two migrations has made it. */
async function moveBatch(databaseUrl: string, since: number | undefined): Promise<unknown> {
  const { schema } = readDatabaseUrl(databaseUrl);
  const settings = settingsStatement({ statementTimeoutMs: 0, lockTimeoutMs: LOCK_TIMEOUT_MS, schema });
  const inTransaction = <T>(work: (run: EngineTransaction['run']) => Promise<T>) =>
    withSchemaEngine({ databaseUrl, schema }, async ({ run }) => {
      await run(settings);
      return work(run);
    });
  try {
    return await inTransaction(async (run) => {
      // Another process may have ended the move, and dropped the function with the column.
      if (!(await isMoveThere(run))) return 'done';
      if (since !== undefined) await takeOut(since, run);
      const [[outcome] = []] = await run(`SELECT landline_move_bodies(${BATCH_ROWS}, ${BATCH_BYTES})`);
      return outcome;
    });
  } catch (error) {
    // It may have done so after this one had looked. Postgres has several words for what was dropped in the middle of a statement.
    if (!(await inTransaction(isMoveThere).catch(() => true))) return 'done';
    throw classifyError(error, databaseUrl);
  }
}

/** Takes the bodies out of the coming pages that are too old to be moved. It waits for no row: what a worker holds is moved, and goes with its day. */
async function takeOut(since: number, run: EngineTransaction['run']): Promise<void> {
  const [[page] = []] = await run('SELECT next_page::float8 FROM webhook_bodies_move FOR UPDATE');
  const first = Number(page);
  await run(`
    UPDATE webhook_events AS e SET body = NULL, body_bytes = octet_length(e.body)
    FROM (
      SELECT ctid AS at FROM webhook_events
      WHERE ctid >= '(${first},0)' AND ctid < '(${first + PAGES},0)' AND body IS NOT NULL
        AND received_at < to_timestamp(${since / 1000})
      FOR UPDATE SKIP LOCKED
    ) AS due
    WHERE e.ctid = due.at`);
}

/** Whether no body is left in the ledger, so that its column can be dropped. */
export async function areBodiesMoved({ run }: Pick<EngineTransaction, 'run'>): Promise<boolean> {
  if (!(await isMoveThere(run))) return false;
  const [[isDone] = []] = await run('SELECT is_done FROM webhook_bodies_move');
  return isDone === true;
}

async function isMoveThere(run: EngineTransaction['run']): Promise<boolean> {
  const [[exists] = []] = await run(`SELECT to_regclass('webhook_bodies_move') IS NOT NULL`);
  return exists === true;
}
