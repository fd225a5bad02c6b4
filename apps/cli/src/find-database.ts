import { CliError } from './errors.ts';
import { type Environment } from './start/env-file.ts';
import { readServices } from './start/services-file.ts';

/**
 * Finds the database that a command works on: DATABASE_URL, else the embedded one of a running `npm start`.
 *
 * @throws {CliError} `configuration_invalid`: there is neither.
 */
export async function findDatabase(root: string, env: Environment): Promise<string> {
  const url = env['DATABASE_URL'] || (await readServices(root))?.databaseUrl;
  if (url) return url;
  throw new CliError('configuration_invalid', 'No database: run npm start in another terminal, or set DATABASE_URL.');
}
