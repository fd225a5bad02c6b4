import type { PrismaPg } from '@prisma/adapter-pg';
import {
  ColumnTypeEnum,
  type ArgType,
  type SqlQuery,
  type SqlResultSet,
  type Transaction,
} from '@prisma/driver-adapter-utils';
import { deferrable, deferUntilCommit, type DeferredStatement } from './deferred-statements.ts';
import type { Parameter, Statement } from './statement.ts';

/** A row as the driver returns it, by column. */
export type Row = Record<string, unknown>;

/** One transaction's way past Prisma's engine to the driver. */
export interface DirectTransaction {
  query: (statement: Statement) => Promise<Row[]>;
  /** Has a statement sent together with the COMMIT; it returns no rows. One with large parameters is sent at once. */
  queryAtCommit: (statement: Statement) => Promise<void>;
}

/**
 * Takes statements past Prisma's engine to the driver. Prisma begins a transaction, ends it and watches its time. For each statement its engine
 * would print all parameters as one JSON text, bytes as base64, parse that text again, and do the same with the rows.
 */
export interface DirectTransactions {
  /** Returns the transaction in which `ask` sends any statement with the key as its parameter. That statement never reaches Postgres. */
  find(ask: (key: string) => Promise<unknown>): Promise<DirectTransaction>;
  /** Makes an adapter tell of its transactions. Call it before the client is made. */
  watch(adapter: PrismaPg): void;
}

const NO_ROWS: SqlResultSet = { columnNames: [], columnTypes: [], rows: [] };
const TEXT: ArgType = { scalarType: 'string', arity: 'scalar' };
const BYTES: ArgType = { scalarType: 'bytes', arity: 'scalar' };

/** Makes it, with no transaction. */
export function createDirectTransactions(): DirectTransactions {
  const asked = new Map<string, DirectTransaction | undefined>();
  let last = 0;
  return {
    async find(ask) {
      last += 1;
      const key = `transaction ${last}`;
      asked.set(key, undefined);
      try {
        await ask(key);
        const found = asked.get(key);
        if (found === undefined) throw new Error('Prisma sent a statement outside of its transaction.');
        return found;
      } finally {
        asked.delete(key);
      }
    },
    watch(factory) {
      const connect = factory.connect.bind(factory);
      factory.connect = async () => {
        const adapter = await connect();
        const begin = adapter.startTransaction.bind(adapter);
        adapter.startTransaction = async (isolationLevel) => {
          const transaction = await begin(isolationLevel);
          const query = transaction.queryRaw.bind(transaction);
          const direct = directOn(transaction, query);
          transaction.queryRaw = async (statement) => {
            const [key] = statement.args;
            if (typeof key !== 'string' || !asked.has(key)) return query(statement);
            asked.set(key, direct);
            return NO_ROWS;
          };
          return transaction;
        };
        return adapter;
      };
    },
  };
}

type Query = (query: SqlQuery) => Promise<SqlResultSet>;

function directOn(transaction: Transaction, query: Query): DirectTransaction {
  const deferred = deferUntilCommit(transaction);
  const isOver = watchEnd(transaction);

  async function send(statement: Statement): Promise<Row[]> {
    // The order stays, because it is the order of the locks.
    // oxlint-disable-next-line no-await-in-loop -- one statement after the other
    for (const before of deferred.splice(0)) await sendOne(query, before, isOver);
    return rowsOf(await sendOne(query, statement, isOver));
  }

  return {
    query: send,
    async queryAtCommit(statement) {
      const texts = deferrable(statement.parameters);
      if (texts === undefined) await send(statement);
      else deferred.push({ sql: statement.sql, parameters: texts });
    },
  };
}

function watchEnd(transaction: Transaction): () => boolean {
  const execute = transaction.executeRaw.bind(transaction);
  let isOver = false;
  transaction.executeRaw = (query) => {
    isOver ||= query.sql === 'COMMIT' || query.sql === 'ROLLBACK';
    return execute(query);
  };
  return () => isOver;
}

/** Sends a statement. The driver has its parameters then; Prisma's log for debugging would keep them for a hundred statements. */
async function sendOne(
  query: Query,
  { sql, parameters }: Statement | DeferredStatement,
  isOver: () => boolean,
): Promise<SqlResultSet> {
  // Prisma gave the transaction up, and its connection may be another's by now.
  if (isOver())
    throw Object.assign(new Error('The transaction was closed before its work was done.'), { code: 'P2028' });
  const statement: SqlQuery = { sql, args: [...parameters], argTypes: parameters.map(typeOf) };
  const answer = query(statement);
  statement.args = [];
  return answer;
}

function typeOf(parameter: Parameter): ArgType {
  return typeof parameter === 'string' ? TEXT : BYTES;
}

function rowsOf({ columnNames, columnTypes, rows }: SqlResultSet): Row[] {
  const valueOf = (value: unknown, i: number): unknown =>
    columnTypes[i] === ColumnTypeEnum.Json && typeof value === 'string' ? JSON.parse(value) : value;
  return rows.map((row) => Object.fromEntries(columnNames.map((name, i) => [name, valueOf(row[i], i)])));
}
