import { cutoffsOf } from '@landline/operations';
import { migrate, migrationUrl } from '@landline/store';
import type { OwnDatabase } from './find-database.ts';
import { readRetention } from './retention/read-policy.ts';
import type { Environment } from './start/env-file.ts';

/**
 * `landline migrate`: brings the tables up to date, past a pooler where DIRECT_URL is set, and prints the migrations that it applied.
 *
 * @param env  The variables, with those of .env.
 * @returns    The exit code 0.
 * @throws     {StoreError} when the database cannot be reached, or refuses a migration; {CliError} `configuration_invalid`.
 */
export async function runMigrate(
  { databaseUrl, directUrl }: OwnDatabase,
  env: Environment,
  print: (line: string) => void,
): Promise<number> {
  const { applied } = await migrate(migrationUrl(databaseUrl, directUrl), { bodiesSince: bodiesSince(env) });
  print(
    applied.length === 0 ? 'The tables are up to date.' : `Applied:\n${applied.map((name) => `  ${name}`).join('\n')}`,
  );
  return 0;
}

/** Returns from when on bodies are kept, where somebody has said so here: whoever migrates may not have the workers' variables. */
function bodiesSince(env: Environment): number | undefined {
  return env['BODY_RETENTION_DAYS'] ? cutoffsOf(readRetention(env), Date.now()).bodies : undefined;
}
