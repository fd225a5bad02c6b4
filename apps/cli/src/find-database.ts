import { readSecret } from '@landline/process';
import { CliError } from './errors.ts';
import { type Environment } from './start/env-file.ts';
import { readServices } from './start/services-file.ts';

/** A database whose tables a command may change. */
export interface OwnDatabase {
  databaseUrl: string;
  /** The same database past a pooler, or as the tables' owner. Undefined means that `databaseUrl` serves for that. */
  directUrl?: string;
}

/**
 * Finds the database for a command that changes tables. The first of these counts:
 *
 * 1. DATABASE_URL and DIRECT_URL, together or one of them alone;
 * 2. the embedded database of a running `npm start`, as the owner of its tables.
 *
 * @throws {CliError} `configuration_invalid`: there is no database. SecretFileError: the file of a URL cannot be read.
 */
export async function findOwnDatabase(root: string, env: Environment): Promise<OwnDatabase> {
  const directUrl = readSecret('DIRECT_URL', env);
  const databaseUrl = readSecret('DATABASE_URL', env) ?? directUrl;
  if (databaseUrl !== undefined) return { databaseUrl, ...(directUrl !== undefined && { directUrl }) };
  const services = await readServices(root);
  return { databaseUrl: services?.directUrl ?? services?.databaseUrl ?? refuse() };
}

/** A database that a command may read, and whether its role can do nothing but read. */
export interface ReadableDatabase {
  url: string;
  isReader: boolean;
}

/**
 * Finds the database for a command that reads: READER_DATABASE_URL, else DATABASE_URL, else the database of a running `npm start`.
 *
 * @throws {CliError} `configuration_invalid`: there is no database. SecretFileError: the file of a URL cannot be read.
 */
export async function findReadableDatabase(root: string, env: Environment): Promise<ReadableDatabase> {
  const reader = readSecret('READER_DATABASE_URL', env);
  if (reader !== undefined) return { url: reader, isReader: true };
  const given = readSecret('DATABASE_URL', env);
  if (given !== undefined) return { url: given, isReader: false };
  const services = await readServices(root);
  if (services?.readerDatabaseUrl !== undefined) return { url: services.readerDatabaseUrl, isReader: true };
  return { url: services?.databaseUrl ?? refuse(), isReader: false };
}

function refuse(): never {
  throw new CliError('configuration_invalid', 'No database: run npm start in another terminal, or set DATABASE_URL.');
}
