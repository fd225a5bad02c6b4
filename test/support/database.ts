import { randomUUID } from 'node:crypto';
import { runSql } from './run-sql.ts';
import { TEMPLATE } from './template.ts';

/** A migrated, empty database for one test file. */
export interface TestDatabase {
  url: string;
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
    url: url.href,
    drop: async () => {
      await runSql(adminUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}
