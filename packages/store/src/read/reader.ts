import { callerStatement } from './caller-statement.ts';
import { classifyError } from '../connection/classify-error.ts';
import type { Client } from '../connection/client.ts';
import { readDatabaseUrl } from '../connection/database-url.ts';
import { StoreError } from '../errors.ts';
import { readFoundCaller, type FoundCaller } from './found-caller.ts';
import { openConnections } from './reader-connections.ts';
import { settingsStatement } from '../connection/transaction-settings.ts';
import { createTurns } from './turns.ts';

/** How to open a reader. */
export interface ReaderOptions {
  /** postgresql://…; with `?schema=` the tables are those of that schema, `?connection_limit=` bounds `poolSize`. */
  databaseUrl: string;
  /** Whether the role may only read. Any other role reads in transactions that are read only, which takes four messages instead of one. */
  isReader: boolean;
  /** How long a look-up is waited for, in ms. */
  limitMs: number;
  /** Connections at most. */
  poolSize?: number;
}

/** Looks callers up, and can do nothing else. Every method that fails throws a `StoreError`. */
export interface Reader {
  /**
   * Reads all that the tables hold of a caller, in one statement.
   *
   * @param number  As `phoneNumber` gives it, and one that `namesCaller`.
   */
  findCaller(number: string): Promise<FoundCaller>;
  /** Resolves when a look-up on a connection of the pool is answered; so one connection at least stays open. */
  ping(): Promise<void>;
  /**
   * Resolves when a look-up on a connection of its own is answered within `limitMs`, the connection not counted. The server gives it up as
   * soon as we do, so that look-ups which wait for a lock do not pile up there.
   */
  probe(): Promise<void>;
  /**
   * Notes the pool's connections, which may hang, and gives up the look-ups that wait for one. What it answers cuts those of them that are
   * still open, and resolves when none of them can be given away any more.
   */
  mark(): () => Promise<void>;
  /** Closes all connections. */
  close(): Promise<void>;
}

/** Probes at once, and how long one of their statements is waited for, in ms. */
const PROBES = { atOnce: 5, limitMs: 1_000 };

/** A number that nobody has: to look it up takes the same locks and indexes as any other. */
const NOBODY = '';

/** A transaction that cannot write. */
const READ_ONLY = `SELECT set_config('transaction_read_only', 'on', true)`;

/** Opens a reader; it connects with the first call. @throws ConfigurationError for a URL that cannot be meant */
export function createReader({ databaseUrl, isReader, limitMs, poolSize = 10 }: ReaderOptions): Reader {
  const { schema, connectionLimit = poolSize } = readDatabaseUrl(databaseUrl);
  const size = Math.min(poolSize, connectionLimit);
  const statement = callerStatement(schema);
  const settings = settingsStatement({ statementTimeoutMs: limitMs, lockTimeoutMs: limitMs, schema });
  // pg's own queue cannot be emptied, and would open connections for those who have long given up.
  const turns = createTurns(size);
  const pool = openConnections({ databaseUrl, size, limitMs, isFreshEachTime: false });
  const probes = openConnections({
    databaseUrl,
    size: Math.min(PROBES.atOnce, size),
    limitMs: PROBES.limitMs,
    isFreshEachTime: true,
  });
  const find = async (run: Run, number: string) => readFoundCaller(await run(statement, number));

  async function findCaller(number: string): Promise<FoundCaller> {
    const giveBack = await turns.take();
    const work = (run: Run) => find(run, number);
    const found = isReader ? work(runOf(pool.client)) : inTransaction(pool.client, settings, work);
    return found.finally(giveBack);
  }

  async function probe(run: Run): Promise<void> {
    const began = performance.now();
    await find(run, NOBODY);
    if (performance.now() - began > limitMs) throw late(limitMs);
  }

  const classified = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw classifyError(error, databaseUrl);
    });

  return {
    findCaller: (number) => classified(findCaller(number)),
    ping: async () => void (await classified(findCaller(NOBODY))),
    probe: () => classified(inTransaction(probes.client, settings, probe)),
    mark() {
      turns.sendAway(late(limitMs));
      return pool.mark();
    },
    async close() {
      await Promise.all([pool.close(), probes.close()]);
    },
  };
}

type Run = (sql: string, ...parameters: string[]) => Promise<unknown>;

function runOf(client: Pick<Client, '$queryRawUnsafe'>): Run {
  return (sql, ...parameters) => client.$queryRawUnsafe(sql, ...parameters);
}

/** Works in a transaction that cannot write, with limits that the server keeps. */
async function inTransaction<T>(client: Client, settings: string, work: (run: Run) => Promise<T>): Promise<T> {
  return client.$transaction(
    async (transaction) => {
      const run = runOf(transaction);
      await run(settings);
      await run(READ_ONLY);
      return work(run);
    },
    { maxWait: PROBES.limitMs, timeout: PROBES.limitMs * 2 },
  );
}

function late(limitMs: number): StoreError {
  return new StoreError(`The database took longer than ${limitMs} ms to answer.`, {
    faultClass: 'timeout',
    code: 'late',
  });
}
