import { z } from 'zod';
import type { Statement } from '../connection/statement.ts';
import type { Transactions } from '../connection/transactions.ts';
import { reconcileReaderOn, readRuns } from '../reconcile/reconcile-store.ts';
import type { ReconcileRun, ReconcileStore } from '../reconcile/reconcile.ts';
import { listRunsStatement } from '../reconcile/run-statements.ts';
import { MOST_COUNTED } from './attention.ts';

/** A comparison, with what has become of its operation. */
export interface FoundRun extends ReconcileRun {
  /** The status of its operation; null where the operation is there no longer. */
  operationStatus: string | null;
}

/** Looks up what comparisons with the provider have found, and changes nothing. Every method that fails throws a `StoreError`. */
export interface ReconcileLookup extends Pick<ReconcileStore, 'counts'> {
  /** What `counts` counts, each `MOST_COUNTED` and one at most: the console asks each second while a comparison runs. */
  countsInBounds(): ReturnType<ReconcileStore['counts']>;
  /** Lists runs, the newest first. */
  runs(limit: number): Promise<FoundRun[]>;
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
