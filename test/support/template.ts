// Not by the package's name: vitest runs the global set-up without the condition under which that means the sources.
import { migrate } from '../../packages/store/src/schema/migrate.ts';
import { runSql } from './run-sql.ts';

/** The migrated database that every test database is a copy of. */
export const TEMPLATE = 'landline_template';

/** Makes the template, once in a run and before any test. */
export async function createTemplate(adminUrl: string): Promise<void> {
  await runSql(adminUrl, `CREATE DATABASE ${TEMPLATE}`);
  const url = new URL(adminUrl);
  url.pathname = TEMPLATE;
  await migrate(url.href);
  // The days of the tests' events, so that not every test's first transaction is repeated.
  for (const day of ['2026-01-01', '2026-01-05'])
    // oxlint-disable-next-line no-await-in-loop -- two
    await runSql(url.href, `SELECT landline_make_body_partitions('${day}', '${day}')`);
}
