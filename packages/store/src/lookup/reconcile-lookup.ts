import { z } from 'zod';
import type { Statement } from '../connection/statement.ts';
import type { Transactions } from '../connection/transactions.ts';
import { toMs } from '../find/found-event.ts';
import { reconcileReaderOn, readRuns } from '../reconcile/reconcile-store.ts';
import type { ReconcileRun, ReconcileStore } from '../reconcile/reconcile.ts';
import { listRunsStatement } from '../reconcile/run-statements.ts';
import { RECONCILE } from '../retention/run-statements.ts';
import { MOST_COUNTED, MOST_OPERATIONS } from './attention.ts';

/** A comparison, with what has become of its operation. */
export interface FoundRun extends ReconcileRun {
  /** The status of its operation; null where the operation is there no longer. */
  operationStatus: string | null;
}

/** A comparison that failed. Unix milliseconds. */
export interface FailedComparison {
  /** That of its operation. */
  id: string;
  at: number;
  /** Why; null where nobody has said so. */
  error: string | null;
}

/** Looks up what comparisons with the provider have found, and changes nothing. Every method that fails throws a `StoreError`. */
export interface ReconcileLookup extends Pick<ReconcileStore, 'counts'> {
  /** What `counts` counts, each `MOST_COUNTED` and one at most: the console asks each second while a comparison runs. */
  countsInBounds(): ReturnType<ReconcileStore['counts']>;
  /** Lists runs, the newest first. */
  runs(limit: number): Promise<FoundRun[]>;
  /** The newest comparison that failed, of the latest 1,000 operations; undefined where there is none, and where one has ended well since. */
  lastFailure(): Promise<FailedComparison | undefined>;
  /** What the newest look at the provider's side has found, with the time at which it was saved, in unix milliseconds; undefined where there is none. */
  check(): Promise<{ savedAt: number; check: unknown } | undefined>;
}

/** Makes the look-ups in these transactions. */
export function reconcileLookupOn(transactions: Pick<Transactions, 'run'>): ReconcileLookup {
  const { counts, readProviderCheck } = reconcileReaderOn(transactions);
  return {
    counts,
    countsInBounds: () => transactions.run(async (run) => countsSchema.parse(await run(COUNTS_IN_BOUNDS))[0]),
    check: readProviderCheck,
    lastFailure: () => transactions.run(async (run) => failuresSchema.parse(await run(LAST_FAILURE))[0]),
    runs: (limit) => transactions.run(async (run) => readFoundRuns(await run(runsStatement(limit)))),
  };
}

const boundedCount = (completeness: string) => `(SELECT count(*)::float8 FROM (
      SELECT FROM conversations AS c
      WHERE c.completeness = '${completeness}' AND c.erased_at IS NULL LIMIT ${MOST_COUNTED + 1}) AS c) AS ${completeness}`;

const COUNTS_IN_BOUNDS: Statement = {
  sql: `SELECT ${['open', 'waiting', 'missing', 'unfetchable'].map(boundedCount).join(',\n    ')}`,
  parameters: [],
};

const countsSchema = z.tuple([
  z.object({ open: z.number(), waiting: z.number(), missing: z.number(), unfetchable: z.number() }),
]);

/** One that no worker with a key has taken has an operation alone, which says why. The run of another says it without what was fetched until then. */
const LAST_FAILURE: Statement = {
  sql: `
    SELECT f.id::text, ${toMs('f.finished_at')} AS at, COALESCE(r.error, f.message) AS error
    FROM (
      SELECT o.* FROM (SELECT * FROM operations ORDER BY created_at DESC, id DESC LIMIT ${MOST_OPERATIONS}) AS o
      WHERE o.kind = '${RECONCILE}' AND o.status = 'failed' ORDER BY o.finished_at DESC LIMIT 1) AS f
      LEFT JOIN reconciliations AS r ON r.id = f.id
    WHERE NOT EXISTS (SELECT FROM reconciliations AS g WHERE g.finished_at > f.finished_at AND g.error IS NULL)`,
  parameters: [],
};

const failuresSchema = z.array(z.object({ id: z.string(), at: z.number(), error: z.string().nullable() }));

/** A run may end without its row: a worker dies, and its operation is cancelled. Only the operation tells then. */
function runsStatement(limit: number): Statement {
  const { sql, parameters } = listRunsStatement(limit);
  return {
    sql: `
    SELECT r.*, o.status AS "operationStatus" FROM (${sql}) AS r LEFT JOIN operations AS o ON o.id = r.id::uuid
    ORDER BY r."startedAt" DESC, r.id DESC`,
    parameters,
  };
}

const statusesSchema = z.array(z.object({ operationStatus: z.string().nullable() }));

function readFoundRuns(rows: readonly unknown[]): FoundRun[] {
  const statuses = statusesSchema.parse(rows);
  return readRuns(rows).map((run, i) => ({ ...run, operationStatus: statuses[i]?.operationStatus ?? null }));
}
