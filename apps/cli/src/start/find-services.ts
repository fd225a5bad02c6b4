import { join } from 'node:path';
import { type Service, startPostgres, startRedis } from '@landline/local-servers';
import { readSecret, SecretFileError } from '@landline/process';
import { keepRoles } from '../roles/keep-roles.ts';
import type { Environment } from './env-file.ts';
import { keepRunning } from './keep-running.ts';

/** The database, and who logs in there. With the embedded one DIRECT_URL and READER_DATABASE_URL count for nothing. */
export interface Database {
  /** As the worker logs in: what DATABASE_URL says, else the embedded database's role that may write rows and change no table. */
  databaseUrl: string;
  /** As whom to migrate: with a DATABASE_URL what DIRECT_URL says, which may be nothing; else the embedded database's owner. */
  directUrl: string | undefined;
  /**
   * Who may only read: with a DATABASE_URL what READER_DATABASE_URL says, undefined where that is nothing or its file cannot be read; else
   * the embedded database's reader. That is for the initiation to say, whom alone it concerns.
   */
  readerDatabaseUrl: string | undefined;
}

/** Starts the servers that the environment names no other for, each when it is asked for. */
export interface Services {
  /** Answers what REDIS_URL says, else starts Redis. @throws {LocalServerError} when it does not start. */
  redisUrl: () => Promise<string>;
  /** Answers what DATABASE_URL says, else starts Postgres and makes its roles. @throws {LocalServerError, CliError} when that fails. */
  database: () => Promise<Database>;
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
 * Reads which servers are given.
 *
 * @throws SecretFileError when the file of REDIS_URL, DATABASE_URL or DIRECT_URL cannot be read.
 */
export function findServices({ root, env, print, started }: StartServicesOptions): Services {
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
  const given = {
    redisUrl: readSecret('REDIS_URL', env),
    databaseUrl: readSecret('DATABASE_URL', env),
    directUrl: readSecret('DIRECT_URL', env),
    readerDatabaseUrl: readReader(env),
  };
  return {
    redisUrl: async () => given.redisUrl ?? own('Redis', redis),
    async database() {
      const { databaseUrl, directUrl, readerDatabaseUrl } = given;
      if (databaseUrl !== undefined) return { databaseUrl, directUrl, readerDatabaseUrl };
      const roles = await keepRoles(join(data, 'postgres-roles'), {
        adminUrl: await own('Postgres', postgres),
        mayReplace: true,
      });
      return { databaseUrl: roles.worker, directUrl: roles.owner, readerDatabaseUrl: roles.reader };
    },
  };
}

function readReader(env: Environment): string | undefined {
  try {
    return readSecret('READER_DATABASE_URL', env);
  } catch (error) {
    if (error instanceof SecretFileError) return undefined;
    throw error;
  }
}
