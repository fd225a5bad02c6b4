import { migrate, migrationUrl } from '@landline/store';
import type { OwnDatabase } from './find-database.ts';

/**
 * `landline migrate`: brings the tables up to date, past a pooler where DIRECT_URL is set, and prints the migrations that it applied.
 *
 * @returns The exit code 0.
 * @throws  {StoreError} when the database cannot be reached, or refuses a migration.
 */
export async function runMigrate(
  { databaseUrl, directUrl }: OwnDatabase,
  print: (line: string) => void,
): Promise<number> {
  const { applied } = await migrate(migrationUrl(databaseUrl, directUrl));
  print(
    applied.length === 0 ? 'The tables are up to date.' : `Applied:\n${applied.map((name) => `  ${name}`).join('\n')}`,
  );
  return 0;
}
