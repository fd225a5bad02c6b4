import type { PrismaPg } from '@prisma/adapter-pg';
import type { ArgType, SqlQuery } from '@prisma/driver-adapter-utils';
import type { Parameter } from './statement.ts';

/**
 * Takes a statement's parameters past Prisma's engine to the driver. The engine would print all of them as one JSON text, bytes as base64, and
 * parse that text again: five copies of each body. A key travels through the engine in their place.
 */
export interface DirectParameters {
  /** Keeps parameters until the statement with the returned key is sent, or until `drop`. */
  keep(parameters: readonly Parameter[]): string;
  drop(key: string): void;
  /** Makes the transactions of an adapter put the parameters in the place of their key. Call it before the client is made. */
  watch(adapter: PrismaPg): void;
}

const TEXT: ArgType = { scalarType: 'string', arity: 'scalar' };
const BYTES: ArgType = { scalarType: 'bytes', arity: 'scalar' };

/** Makes it, with nothing kept. */
export function createDirectParameters(): DirectParameters {
  const kept = new Map<string, readonly Parameter[]>();
  let last = 0;

  /** Takes the parameters out: the driver alone holds them while Postgres works. */
  function fill(query: SqlQuery): SqlQuery {
    const [key] = query.args;
    const parameters = typeof key === 'string' ? kept.get(key) : undefined;
    if (typeof key !== 'string' || parameters === undefined) return query;
    kept.delete(key);
    const argTypes = parameters.map((parameter) => (typeof parameter === 'string' ? TEXT : BYTES));
    return { sql: query.sql, args: [...parameters], argTypes };
  }

  return {
    keep(parameters) {
      last += 1;
      const key = `parameters ${last}`;
      kept.set(key, parameters);
      return key;
    },
    drop: (key) => void kept.delete(key),
    watch(factory) {
      const connect = factory.connect.bind(factory);
      factory.connect = async () => {
        const adapter = await connect();
        const begin = adapter.startTransaction.bind(adapter);
        adapter.startTransaction = async (isolationLevel) => {
          const transaction = await begin(isolationLevel);
          const query = transaction.queryRaw.bind(transaction);
          transaction.queryRaw = (statement) => query(fill(statement));
          return transaction;
        };
        return adapter;
      };
    },
  };
}
