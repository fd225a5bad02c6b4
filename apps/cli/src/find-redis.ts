import { readSecret } from '@landline/process';
import { CliError } from './errors.ts';
import type { Environment } from './start/env-file.ts';
import { readServices } from './start/services-file.ts';

/**
 * Finds the Redis for a command: REDIS_URL, else the private Redis of a running `npm start`.
 *
 * @returns The URL, with the password.
 * @throws  {CliError} `configuration_invalid`: there is neither. SecretFileError: the file of REDIS_URL cannot be read.
 */
export async function findRedis(root: string, env: Environment): Promise<string> {
  const url = readSecret('REDIS_URL', env) ?? (await readServices(root))?.redisUrl;
  if (url) return url;
  throw new CliError('configuration_invalid', 'No Redis: run npm start in another terminal, or set REDIS_URL.');
}
