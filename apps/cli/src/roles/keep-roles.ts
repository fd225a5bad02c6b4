import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { makeRoles, ROLES, type Role } from '@landline/store';
import { CliError } from '../errors.ts';
import { explainDatabaseFault } from '../explain-database-fault.ts';
import { readOrMakeSecret } from '../services/secret-file.ts';

/**
 * Makes the roles of a Landline database, with random passwords that it keeps in `<folder>/<role>/password` (mode 600). Called again
 * it sets the same passwords, and gives the owner what an older version has made since.
 *
 * @param adminUrl  A superuser's, or of a role with CREATEROLE that owns the database.
 * @returns         The URL of each role.
 * @throws          {CliError} `postgres_failed`: what the server says.
 */
export async function keepRoles(adminUrl: string, folder: string): Promise<Record<Role, string>> {
  const [owner, worker, reader] = await Promise.all(ROLES.map((role) => passwordOf(folder, role)));
  if (owner === undefined || worker === undefined || reader === undefined) throw new Error('A role has no password');
  return makeRoles({ adminUrl, passwords: { owner, worker, reader } }).catch((cause: unknown) => {
    const why = explainDatabaseFault(cause);
    throw new CliError(
      'postgres_failed',
      `The roles of the database could not be made, and nothing was changed: ${why}`,
      { cause },
    );
  });
}

async function passwordOf(folder: string, role: Role): Promise<string> {
  await mkdir(join(folder, role), { recursive: true, mode: 0o700 });
  return readOrMakeSecret(join(folder, role, 'password'));
}
