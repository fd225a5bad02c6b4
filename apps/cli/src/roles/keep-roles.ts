import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { keepSecret, makeSecret, readKeptSecret } from '@landline/local-servers';
import { makeRoles, ROLES, type Role } from '@landline/store';
import { CliError } from '../errors.ts';
import { explainDatabaseFault } from '../explain-database-fault.ts';

/** How to make the roles. */
export interface KeepRolesOptions {
  /** The URL of a superuser, or of a role that has CREATEROLE and owns the database. */
  adminUrl: string;
  /** Whether an existing role may get a new password, when the folder does not hold the role's password. */
  mayReplace: boolean;
}

/**
 * Makes the roles of a Landline database, with random passwords. It writes each password to `<folder>/<role>/password` (mode 600). A later
 * call sets the same passwords, and makes the owner own the tables that an older version has made since.
 *
 * @returns  The URL of each role.
 * @throws   {CliError} `postgres_failed`: the server's message, or the names of existing roles whose passwords the folder does not hold.
 */
export async function keepRoles(
  folder: string,
  { adminUrl, mayReplace }: KeepRolesOptions,
): Promise<Record<Role, string>> {
  const fileOf = (role: Role) => join(folder, role, 'password');
  const read = async (role: Role) => readKeptSecret(fileOf(role));
  const kept = { owner: await read('owner'), worker: await read('worker'), reader: await read('reader') };
  const lacking = ROLES.filter((role) => kept[role] === undefined);
  const passwordOf = (role: Role) => kept[role] ?? makeSecret();
  const passwords = { owner: passwordOf('owner'), worker: passwordOf('worker'), reader: passwordOf('reader') };
  const urls = await makeRoles({ adminUrl, passwords, mustBeNew: mayReplace ? [] : lacking }).catch(refuse);
  // The passwords are written after the server has taken them, so that a refused call leaves the folder as it was.
  await Promise.all(lacking.map((role) => keep(fileOf(role), passwords[role])));
  return urls;
}

async function keep(file: string, password: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await keepSecret(file, password);
}

function refuse(cause: unknown): never {
  const why = explainDatabaseFault(cause);
  throw new CliError(
    'postgres_failed',
    `The roles of the database could not be made, and nothing was changed: ${why}`,
    {
      cause,
    },
  );
}
