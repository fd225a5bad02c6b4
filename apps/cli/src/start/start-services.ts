import { join } from 'node:path';
import { readSecret } from '@landline/process';
import { keepRoles } from '../roles/keep-roles.ts';
import { startPostgres } from '../services/postgres.ts';
import { startRedis } from '../services/redis.ts';
import type { Service } from '../services/running-process.ts';
import type { Environment } from './env-file.ts';
import { keepRunning } from './keep-running.ts';

/** Where the servers are, and how to stop those of ours. */
export interface Services {
  /** The database, as the worker logs in: what DATABASE_URL says, else the role that may write rows and change no table. */
  databaseUrl: string;
  /** As whom to migrate: what DIRECT_URL says, else the embedded database's owner; undefined with a DATABASE_URL alone. */
  directUrl: string | undefined;
  /** Who may only read: what READER_DATABASE_URL says, else the embedded database's reader. */
  readerDatabaseUrl: string | undefined;
  redisUrl: string;
}

/** What starting takes. */
export interface StartServicesOptions {
  root: string;
  env: Environment;
  print: (line: string) => void;
  /** Is told of each server of ours that runs, also when a later one fails. */
  started: (service: { stop: () => Promise<void> }) => void;
}

/**
 * Starts the servers that `env` names no other for: Postgres unless DATABASE_URL is set, Redis unless REDIS_URL is.
 *
 * @throws {CliError} when one does not start; SecretFileError when the file of a URL cannot be read.
 */
export async function startServices({ root, env, print, started }: StartServicesOptions): Promise<Services> {
  const data = join(root, '.data');
  const own = async (name: string, start: (port?: number) => Promise<Service>): Promise<string> => {
    print(`Starting ${name} …`);
    const first = await start();
    // Its clients know the port: it must come back on the same.
    const port = Number(new URL(first.url).port);
    started(keepRunning({ name, first, print, restart: () => start(port) }));
    return first.url;
  };
  const redis = (port?: number) =>
    startRedis({ dir: join(data, 'redis'), searchPath: env['PATH'], ...(port !== undefined && { port }) });
  const postgres = (port?: number) =>
    startPostgres({ dir: join(data, 'postgres'), ...(port !== undefined && { port }) });
  // Before anything starts: a file of theirs may be missing.
  const given = {
    redisUrl: readSecret('REDIS_URL', env),
    databaseUrl: readSecret('DATABASE_URL', env),
    directUrl: readSecret('DIRECT_URL', env),
    readerDatabaseUrl: readSecret('READER_DATABASE_URL', env),
  };
  const redisUrl = given.redisUrl ?? (await own('Redis', redis));
  if (given.databaseUrl !== undefined) return { ...given, databaseUrl: given.databaseUrl, redisUrl };
  const roles = await keepRoles(join(data, 'postgres-roles'), {
    adminUrl: await own('Postgres', postgres),
    mayReplace: true,
  });
  return { databaseUrl: roles.worker, directUrl: roles.owner, readerDatabaseUrl: roles.reader, redisUrl };
}
