import { resolve } from 'node:path';
import { keepSecret } from '@landline/local-servers';
import { readSecret } from '@landline/process';
import { ROLES } from '@landline/store';
import type { CommandContext } from '../command-context.ts';
import { CliError } from '../errors.ts';
import { readEnvFile } from '../start/env-file.ts';
import { keepRoles } from './keep-roles.ts';

/**
 * `landline roles <folder>`: makes the roles owner, worker and reader in the database of ADMIN_DATABASE_URL.
 *
 * It writes the URL of each role to `<folder>/<role>/url` (mode 600), for DIRECT_URL_FILE, DATABASE_URL_FILE and READER_DATABASE_URL_FILE.
 * The command may be repeated at any time with the same folder. With another folder it refuses to change the passwords of existing roles,
 * because other processes may log in with them. `mayReplace` allows the change.
 *
 * ADMIN_DATABASE_URL may leave out the password: then PGPASSWORD has it, or PGPASSWORD_FILE.
 *
 * @returns The exit code 0.
 * @throws  {CliError} `configuration_invalid`: there is no ADMIN_DATABASE_URL. `postgres_failed`: the roles cannot be made.
 */
export async function runRoles(
  folder: string,
  { mayReplace }: { mayReplace: boolean },
  { root, env, print }: CommandContext,
): Promise<number> {
  const adminUrl = adminUrlOf(await readEnvFile(root, env));
  const urls = await keepRoles(resolve(root, folder), { adminUrl, mayReplace });
  for (const role of ROLES) {
    const file = resolve(root, folder, role, 'url');
    // oxlint-disable-next-line no-await-in-loop -- three
    await keepSecret(file, urls[role]);
    print(`${new URL(urls[role]).username}: ${file}`);
  }
  return 0;
}

function adminUrlOf(env: Readonly<Record<string, string | undefined>>): string {
  const given = readSecret('ADMIN_DATABASE_URL', env);
  if (given === undefined || !URL.canParse(given)) {
    const form = 'postgresql://user:password@host:5432/database';
    throw new CliError(
      'configuration_invalid',
      `Set ADMIN_DATABASE_URL to the URL of a user who may make roles: ${form}.`,
    );
  }
  const url = new URL(given);
  if (url.password === '') url.password = encodeURIComponent(readSecret('PGPASSWORD', env) ?? '');
  return url.href;
}
