import type { PrismaPg } from '@prisma/adapter-pg';
import type { ArgType, SqlQuery, SqlResultSet } from '@prisma/driver-adapter-utils';
import { deferrable, deferUntilCommit } from './deferred-statements.ts';
import type { Parameter } from './statement.ts';

/**
 * Takes a statement's parameters past Prisma's engine to the driver. The engine would print all of them as one JSON text, bytes as base64, and
 * parse that text again: five copies of each body. A key travels through the engine in their place.
 */
export interface DirectParameters {
  /** Keeps parameters until the statement with the returned key is sent, or until `drop`. */
  keep(parameters: readonly Parameter[]): string;
  /** The same for a statement that is sent together with the COMMIT, and returns no rows. */
  keepUntilCommit(parameters: readonly Parameter[]): string;
  drop(key: string): void;
  /** Makes the transactions of an adapter put the parameters in the place of their key. Call it before the client is made. */
  watch(adapter: PrismaPg): void;
}

interface Kept {
  parameters: readonly Parameter[];
  untilCommit: boolean;
}

const NO_ROWS: SqlResultSet = { columnNames: [], columnTypes: [], rows: [] };
const TEXT: ArgType = { scalarType: 'string', arity: 'scalar' };
const BYTES: ArgType = { scalarType: 'bytes', arity: 'scalar' };

/** Makes it, with nothing kept. */
export function createDirectParameters(): DirectParameters {
  const kept = new Map<string, Kept>();
  let last = 0;

  function keep(parameters: readonly Parameter[], untilCommit: boolean): string {
    last += 1;
    const key = `parameters ${last}`;
    kept.set(key, { parameters, untilCommit });
    return key;
  }

  /** Takes the parameters out: the driver alone holds them while Postgres works. */
  function take([key]: SqlQuery['args']): Kept | undefined {
    const found = typeof key === 'string' ? kept.get(key) : undefined;
    if (typeof key === 'string') kept.delete(key);
    return found;
  }

  return {
    keep: (parameters) => keep(parameters, false),
    keepUntilCommit: (parameters) => keep(parameters, true),
    drop: (key) => void kept.delete(key),
    watch(factory) {
      const connect = factory.connect.bind(factory);
      factory.connect = async () => {
        const adapter = await connect();
        const begin = adapter.startTransaction.bind(adapter);
        adapter.startTransaction = async (isolationLevel) => {
          const transaction = await begin(isolationLevel);
          const deferred = deferUntilCommit(transaction);
          const query = transaction.queryRaw.bind(transaction);
          transaction.queryRaw = async (statement) => {
            const found = take(statement.args);
            if (found === undefined) return query(statement);
            const texts = found.untilCommit ? deferrable(found.parameters) : undefined;
            if (texts !== undefined) {
              deferred.push({ sql: statement.sql, parameters: texts });
              return NO_ROWS;
            }
            // The order stays, because it is the order of the locks.
            // oxlint-disable-next-line no-await-in-loop -- one statement after the other
            for (const { sql, parameters } of deferred.splice(0))
              await send(query, fill({ ...statement, sql }, parameters));
            return send(query, fill(statement, found.parameters));
          };
          return transaction;
        };
        return adapter;
      };
    },
  };
}

/** Sends a statement. The driver has its parameters then; Prisma's log for debugging would keep them for a hundred statements. */
function send(query: (statement: SqlQuery) => Promise<SqlResultSet>, statement: SqlQuery): Promise<SqlResultSet> {
  const answer = query(statement);
  statement.args = [];
  return answer;
}

function fill(query: SqlQuery, parameters: readonly Parameter[]): SqlQuery {
  const argTypes = parameters.map((parameter) => (typeof parameter === 'string' ? TEXT : BYTES));
  return { sql: query.sql, args: [...parameters], argTypes };
}
