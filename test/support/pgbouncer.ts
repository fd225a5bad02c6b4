import { onTestFinished } from 'vitest';
import { runPgBouncer } from './pgbouncer-process.ts';

/**
 * Starts a PgBouncer for the running test, in transaction mode, in front of the server of `databaseUrl`. It ends with the test. It lets
 * everybody in, as the user of `databaseUrl`.
 *
 * @param settings  Lines of the section `[pgbouncer]`, by name.
 * @returns         The URL of the same database behind PgBouncer.
 */
export async function startPgBouncer(
  databaseUrl: string,
  settings: Readonly<Record<string, string | number>>,
): Promise<string> {
  const pooler = await runPgBouncer(databaseUrl, { who: 'everybody', settings });
  onTestFinished(pooler.stop);
  return pooler.urlOf(databaseUrl);
}
