import { migrate, migrationUrl } from '@landline/store';
import { findDatabase } from './find-database.ts';
import type { Environment } from './start/env-file.ts';

/** `landline migrate`: brings the tables up to date and says what that took. It goes past a pooler where DIRECT_URL says how. */
export async function runMigrate(root: string, env: Environment, print: (line: string) => void): Promise<number> {
  const databaseUrl = await findDatabase(root, env);
  // Beside the embedded server a DIRECT_URL is left over from another.
  const directUrl = env['DATABASE_URL'] ? env['DIRECT_URL'] : undefined;
  const { applied } = await migrate(migrationUrl(databaseUrl, directUrl));
  print(
    applied.length === 0 ? 'The tables are up to date.' : `Applied:\n${applied.map((name) => `  ${name}`).join('\n')}`,
  );
  return 0;
}
