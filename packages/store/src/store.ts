import { applyEvents, recordDead, type ApplicableEvent, type ApplyOutcome, type Run } from './apply.ts';
import { leaveBeat, type Beat, type NextBeat } from './ledger/beat.ts';
import { classifyError } from './connection/classify-error.ts';
import { CONNECT_TIMEOUT_MS, openClient } from './connection/client.ts';
import { readDatabaseUrl } from './connection/database-url.ts';
import {
  countDeadStatement,
  isDeadStatement,
  listDeadStatement,
  readCount,
  readDeadStatement,
  readListings,
  readRecords,
  type DeadListing,
  type DeadPosition,
  type DeadRecord,
} from './ledger/dead-statement.ts';
import { checkDurability } from './schema/durability.ts';
import type { DeadEvent } from './ledger/ledger-statement.ts';
import { lookForMissing, type Missing } from './ledger/missing.ts';
import { settingsStatement } from './connection/transaction-settings.ts';

/** How to open a store. */
export interface StoreOptions {
  /** postgresql://…; with `?schema=` the tables are those of that schema, `?connection_limit=` bounds `poolSize`. */
  databaseUrl: string;
  /** Connections at most; one transaction takes one, and one in all is enough. */
  poolSize?: number;
  /** How long one statement may run, in milliseconds. */
  statementTimeoutMs?: number;
  /** How long a statement may wait for a lock, in milliseconds. */
  lockTimeoutMs?: number;
}

/** Where events rest. Every method that fails throws a `StoreError`. */
export interface Store {
  /**
   * Applies events in one transaction. Safe to repeat: what the ledger has is not applied again.
   *
   * @returns  Each ledger id's outcome.
   */
  apply(events: readonly ApplicableEvent[]): Promise<Map<string, ApplyOutcome>>;
  /** Records events as dead; returns the ledger ids of those that are dead now, and not applied in the meantime. */
  recordDead(events: readonly DeadEvent[]): Promise<Set<string>>;
  /** Lists dead events behind a position, the oldest first, at most `limit`. */
  listDead(page: { after?: DeadPosition | undefined; limit: number }): Promise<DeadListing[]>;
  /** Reads those of these events that are dead, with their bodies: mind how many bytes `listDead` tells of. */
  readDead(ids: readonly string[]): Promise<DeadRecord[]>;
  /** Tells whether an event is dead. */
  isDead(id: string): Promise<boolean>;
  /** Counts the dead events of the ledger. */
  countDead(): Promise<number>;
  /** Resolves when the database answers. */
  ping(): Promise<void>;
  /** Resolves when events could be applied now: the tables are there, this user may write to them, and nobody locks them. */
  probe(): Promise<void>;
  /**
   * Finds the beat, asks `next` what to leave in its place, and leaves that. Nobody else leaves one meanwhile.
   *
   * @returns  The beat that is committed now.
   */
  beat(next: NextBeat): Promise<Beat>;
  /** Tells which of these ledger ids are not there, and which server answers. */
  missing(ids: readonly string[]): Promise<Missing>;
  /** What the server's settings put at risk, and what to do about each; none when nothing is. */
  durabilityRisks(): Promise<string[]>;
  /** Runs one query that can change nothing. */
  query(sql: string): Promise<Record<string, unknown>[]>;
  /** Closes all connections. */
  close(): Promise<void>;
}

/** A probe is to be answered soon, and to leave its connection to the work. */
const PROBE_LIMIT = `SELECT set_config('lock_timeout', '1000', true)`;

/** The lock that every INSERT and UPDATE takes; one for all writers, so it holds up nobody. */
const TAKE_TABLES = `LOCK TABLE webhook_events, conversations, conversation_messages, agent_tool_calls, user_commands,
  user_profiles IN ROW EXCLUSIVE MODE`;

/** Opens a store; it connects with the first call. @throws ConfigurationError for a URL that cannot be meant */
export function createStore({
  databaseUrl,
  poolSize = 4,
  statementTimeoutMs = 30_000,
  lockTimeoutMs = 10_000,
}: StoreOptions): Store {
  const { schema, connectionLimit = poolSize } = readDatabaseUrl(databaseUrl);
  const client = openClient({ databaseUrl, poolSize: Math.min(poolSize, connectionLimit), statementTimeoutMs });
  const settings = settingsStatement({ statementTimeoutMs, lockTimeoutMs, schema });
  const transactionLimits = { maxWait: CONNECT_TIMEOUT_MS, timeout: statementTimeoutMs * 2 };

  /** Nothing catches inside: a caught error would let the transaction resolve with nothing committed. */
  async function transaction<T>(work: (run: Run) => Promise<T>): Promise<T> {
    try {
      return await client.$transaction(async (tx) => {
        await tx.$queryRawUnsafe(settings);
        return work(({ sql, parameters }) => tx.$queryRawUnsafe(sql, ...parameters));
      }, transactionLimits);
    } catch (error) {
      throw classifyError(error, databaseUrl);
    }
  }

  return {
    apply: (events) => transaction((run) => applyEvents(events, run)),
    recordDead: (events) => transaction((run) => recordDead(events, run)),
    listDead: ({ after, limit }) =>
      transaction(async (run) => readListings(await run(listDeadStatement(after, limit)))),
    readDead: (ids) => transaction(async (run) => readRecords(await run(readDeadStatement(ids)))),
    isDead: (id) => transaction(async (run) => (await run(isDeadStatement(id))).length > 0),
    countDead: () => transaction(async (run) => readCount(await run(countDeadStatement()))),
    ping: async () => {
      await transaction(async () => undefined);
    },
    probe: async () => {
      await transaction(async (run) => {
        await run({ sql: PROBE_LIMIT, parameters: [] });
        await run({ sql: TAKE_TABLES, parameters: [] });
      });
    },
    beat: (next) => transaction((run) => leaveBeat(run, next)),
    missing: (ids) => transaction((run) => lookForMissing(ids, run)),
    durabilityRisks: () => transaction(checkDurability),
    query: (sql) =>
      transaction(async (run) => {
        await run({ sql: 'SET TRANSACTION READ ONLY', parameters: [] });
        return run({ sql, parameters: [] });
      }),
    close: () => client.$disconnect(),
  };
}
