import { classifyError } from './classify-error.ts';
import { CONNECT_TIMEOUT_MS, openClient } from './client.ts';
import { readDatabaseUrl } from './database-url.ts';
import { createDirectTransactions } from './direct-transactions.ts';
import type { Statement } from './statement.ts';
import { settingsStatement } from './transaction-settings.ts';

/** Where transactions run, and within which limits. */
export interface TransactionOptions {
  /** postgresql://…; with `?schema=` the tables are those of that schema, `?connection_limit=` bounds `poolSize`. */
  databaseUrl: string;
  /** Connections at most; one transaction takes one, and one in all is enough. */
  poolSize?: number;
  /** How long one statement may run, in milliseconds. */
  statementTimeoutMs?: number;
  /** How long a statement may wait for a lock, in milliseconds. */
  lockTimeoutMs?: number;
  /** How long a transaction may do nothing, in milliseconds, as that of a process that is frozen; `statementTimeoutMs` by default. */
  idleTimeoutMs?: number;
  /** Whether Postgres refuses every statement that would change something. */
  isReadOnly?: boolean;
}

/** Runs a statement inside the transaction and returns its rows. */
export type Run = (statement: Statement) => Promise<Record<string, unknown>[]>;

/**
 * Runs a statement together with the COMMIT, so that its locks are held no longer than that takes. It returns nothing, and it fails where
 * the commit fails. A statement with large parameters runs at once.
 */
export type RunAtCommit = (statement: Statement) => Promise<void>;

/** Runs transactions on a pool of connections. */
export interface Transactions {
  /**
   * Runs `work` in one transaction, which is committed when `work` resolves.
   *
   * @throws StoreError; nothing is committed then, except where the connection broke during the commit.
   */
  run<T>(work: (run: Run, runAtCommit: RunAtCommit) => Promise<T>): Promise<T>;
  /** Closes all connections. */
  close(): Promise<void>;
}

/** Opens the pool; it connects with the first transaction. @throws ConfigurationError for a URL that cannot be meant */
export function openTransactions({
  databaseUrl,
  poolSize = 4,
  statementTimeoutMs = 30_000,
  lockTimeoutMs = 10_000,
  idleTimeoutMs,
  isReadOnly = false,
}: TransactionOptions): Transactions {
  const { schema, connectionLimit = poolSize } = readDatabaseUrl(databaseUrl);
  const direct = createDirectTransactions();
  const connections = Math.min(poolSize, connectionLimit);
  const settings = settingsStatement({ statementTimeoutMs, lockTimeoutMs, idleTimeoutMs, schema, isReadOnly });
  const client = openClient({ databaseUrl, poolSize: connections, statementTimeoutMs, direct, settings });
  const limits = { maxWait: CONNECT_TIMEOUT_MS, timeout: statementTimeoutMs * 2 };

  return {
    /** Nothing catches inside: a caught error would let the transaction resolve with nothing committed. */
    async run(work) {
      try {
        return await client.$transaction(async (tx) => {
          const { query, queryAtCommit } = await direct.find((key) => tx.$queryRawUnsafe('SELECT $1', key));
          return work(query, queryAtCommit);
        }, limits);
      } catch (error) {
        throw classifyError(error, databaseUrl);
      }
    },
    close: () => client.$disconnect(),
  };
}
