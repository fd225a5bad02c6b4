import { randomUUID } from 'node:crypto';
import { pooled } from './pooled.ts';
import { runSql } from './run-sql.ts';
import { TEMPLATE } from './template.ts';

/** A migrated, empty database for one test file. */
export interface TestDatabase {
  /** Where the product reaches it: behind PgBouncer, where the tests run so. */
  url: string;
  /** The same without PgBouncer, for what a test does to a session or asks about sessions. */
  directUrl: string;
  /** Drops the database, and ends every connection that a killed process has left in it. */
  drop: () => Promise<void>;
}

/**
 * Makes a database for the calling test file alone.
 *
 * @param adminUrl `inject('databaseUrl')`.
 */
export async function createDatabase(adminUrl: string): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await runSql(adminUrl, `CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`);
  const url = new URL(adminUrl);
  url.pathname = name;
  return {
    url: pooled(url.href),
    directUrl: url.href,
    drop: async () => {
      await runSql(adminUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}
