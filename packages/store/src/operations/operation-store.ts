import { z } from 'zod';
import { openTransactions, type Transactions } from '../connection/transactions.ts';
import {
  cancelStatement,
  claimLockStatement,
  claimStatement,
  finishStatement,
  getOperationStatement,
  keepStatement,
  listOperationsStatement,
  releaseStatement,
  requestStatement,
  runningStatement,
  underWayStatement,
  type Lease,
} from './operation-statements.ts';
import {
  operationSchema,
  type Operation,
  type OperationPosition,
  type OperationProgress,
  type OperationRequest,
} from './operation.ts';

/** What a holder learns: the lease is its own still, it should end the operation, or somebody else has it. */
export type Keeping = 'kept' | 'cancelled' | 'lost';

/** The table of operations, which is the truth about them. Every method that fails throws a `StoreError`. */
export interface OperationStore {
  /** Records what somebody asks for, as planned. Where there is an operation of the request's `id` already, that one is returned as it is. */
  request(request: OperationRequest): Promise<Operation>;
  /**
   * Claims the operation of a kind that is due, for `leaseMs`; undefined where none is. One worker has it, and there is one of each kind:
   * the database decides both, by its own clock.
   *
   * @param as.isLastResort  The worker can only say why it cannot do it. It takes what somebody asked for once no other worker came for a
   *                         minute, and a run of the schedule once none came for an hour.
   */
  claim(kind: string, leaseMs: number, as?: { isLastResort?: boolean | undefined }): Promise<Operation | undefined>;
  /** Writes progress and makes the lease longer, where the caller has it. Also after it ran out, while nobody else has claimed it. */
  keep(lease: Lease, progress: OperationProgress, leaseMs: number): Promise<Keeping>;
  /** Ends an operation; returns false where the caller does not have it any more. */
  finish(lease: Lease, progress: OperationProgress, status: 'done' | 'cancelled' | 'failed'): Promise<boolean>;
  /** Gives an operation back, for another worker to go on with. */
  release(lease: Lease, progress: OperationProgress): Promise<void>;
  /** Asks for the end of an operation; undefined where there is none, or it has ended. One that no worker has is cancelled at once. */
  cancel(id: string): Promise<Operation | undefined>;
  get(id: string): Promise<Operation | undefined>;
  /** Tells whether an operation of a kind waits or runs. */
  isUnderWay(kind: string): Promise<boolean>;
  /** The operation of a kind that runs: there is one at most. Undefined where none does. */
  running(kind: string): Promise<Operation | undefined>;
  /** Lists operations, the newest first; with `after` only those behind that place. */
  list(limit: number, page?: { after?: OperationPosition | undefined }): Promise<Operation[]>;
}

const keptSchema = z.array(z.object({ cancelled: z.boolean() }));

function first(rows: readonly unknown[]): Operation | undefined {
  return z.array(operationSchema).parse(rows)[0];
}

/** Makes the table of operations in these transactions. */
export function operationsOn(transactions: Pick<Transactions, 'run'>): OperationStore {
  return {
    request: (request) =>
      transactions.run(async (run) => {
        const made = first(await run(requestStatement(request)));
        // A statement of its own: it sees what the request before has committed.
        return made ?? operationSchema.parse((await run(getOperationStatement(request.id ?? '')))[0]);
      }),
    claim: (kind, leaseMs, { isLastResort = false } = {}) =>
      transactions.run(async (run) => {
        await run(claimLockStatement(kind));
        // A statement of its own: it sees what the claim before has committed.
        return first(await run(claimStatement(kind, leaseMs, isLastResort)));
      }),
    keep: (lease, progress, leaseMs) =>
      transactions.run(async (run) => {
        const [row] = keptSchema.parse(await run(keepStatement(lease, progress, leaseMs)));
        if (row === undefined) return 'lost';
        return row.cancelled ? 'cancelled' : 'kept';
      }),
    finish: (lease, progress, status) =>
      transactions.run(async (run) => (await run(finishStatement(lease, progress, status))).length > 0),
    release: (lease, progress) => transactions.run(async (run) => void (await run(releaseStatement(lease, progress)))),
    cancel: (id) => transactions.run(async (run) => first(await run(cancelStatement(id)))),
    get: (id) => transactions.run(async (run) => first(await run(getOperationStatement(id)))),
    isUnderWay: (kind) =>
      transactions.run(async (run) => (await run(underWayStatement(kind)))[0]?.['is_under_way'] === true),
    running: (kind) => transactions.run(async (run) => first(await run(runningStatement(kind)))),
    list: (limit, { after } = {}) =>
      transactions.run(async (run) => z.array(operationSchema).parse(await run(listOperationsStatement(limit, after)))),
  };
}

/** The table of operations on a connection of its own. */
export interface OpenOperations extends OperationStore {
  close(): Promise<void>;
}

/**
 * Opens the table of operations for a command; it connects with the first question.
 *
 * @param isReadOnly  For a command that only looks.
 */
export function openOperations(databaseUrl: string, { isReadOnly = false } = {}): OpenOperations {
  const transactions = openTransactions({ databaseUrl, poolSize: 1, isReadOnly });
  return { ...operationsOn(transactions), close: () => transactions.close() };
}
