import { Client } from 'pg';
import { afterAll, beforeAll, inject } from 'vitest';
import { createDatabase, type TestDatabase } from '../../../../test/support/database.ts';
import type { StoreOptions } from '../../src/store.ts';
import { openQueryStore, type QueryStore } from './query-store.ts';

/** What a test file works with: a database of its own and a store on it. */
export interface StoreContext {
  readonly url: string;
  /** The same without PgBouncer: see `TestDatabase`. */
  readonly directUrl: string;
  readonly store: QueryStore;
  /** Runs SQL beside the store, always on the same connection. */
  sql(statement: string): Promise<Record<string, unknown>[]>;
}

interface Opened {
  database: TestDatabase;
  store: QueryStore;
  beside: Client;
}

/** Opens a store on a database of the calling file's own, for all its tests. */
export function withStore(options: Omit<StoreOptions, 'databaseUrl'> = {}): StoreContext {
  let opened: Opened | undefined;
  beforeAll(async () => {
    const database = await createDatabase(inject('databaseUrl'));
    const beside = new Client({ connectionString: database.directUrl });
    opened = { database, store: openQueryStore({ databaseUrl: database.url, ...options }), beside };
    await beside.connect();
  });
  afterAll(async () => {
    await opened?.store.close();
    await opened?.beside.end();
    await opened?.database.drop();
  });
  const present = (): Opened => {
    if (!opened) throw new Error('The store is open in tests and in hooks only.');
    return opened;
  };
  return {
    get url() {
      return present().database.url;
    },
    get directUrl() {
      return present().database.directUrl;
    },
    get store() {
      return present().store;
    },
    async sql(statement) {
      const { rows } = await present().beside.query<Record<string, unknown>>(statement);
      return rows;
    },
  };
}
