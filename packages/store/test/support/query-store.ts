import { openTransactions } from '../../src/connection/transactions.ts';
import { storeOn, type Store, type StoreOptions } from '../../src/store.ts';

/** A store that a test can ask anything. */
export interface QueryStore extends Store {
  /** Runs one query that can change nothing, in a transaction of the store's own pool. */
  query(sql: string): Promise<Record<string, unknown>[]>;
}

/** Opens a store as `createStore` does, with `query` beside its own methods. */
export function openQueryStore(options: StoreOptions): QueryStore {
  const transactions = openTransactions(options);
  return {
    ...storeOn(transactions),
    query: (sql) =>
      transactions.run(async (run) => {
        await run({ sql: 'SET TRANSACTION READ ONLY', parameters: [] });
        return run({ sql, parameters: [] });
      }),
  };
}
