import { join } from 'node:path';
import { type Service, startPostgres, startRedis } from '@landline/local-servers';
import { readSecret, SecretFileError } from '@landline/process';
import { keepRoles } from '../roles/keep-roles.ts';
import type { Environment } from './env-file.ts';
import { keepRunning } from './keep-running.ts';

/**
 * The URLs of the database, one for each role. Where DATABASE_URL is not set, they are those of the embedded database, and DIRECT_URL and
 * READER_DATABASE_URL are ignored.
 */
export interface Database {
  /** The worker's URL: DATABASE_URL, else the role of the embedded database that may write rows and cannot change a table. */
  databaseUrl: string;
  /** The URL for migrations: DIRECT_URL, which may be undefined, else the owner of the embedded database's tables. */
  directUrl: string | undefined;
  /**
   * The reader's URL: READER_DATABASE_URL, else the reader of the embedded database. It is undefined where READER_DATABASE_URL is not set,
   * or where its file cannot be read. The initiation reports such a file: it alone needs this URL.
   */
  readerDatabaseUrl: string | undefined;
}

/** Answers the URLs of Redis and Postgres. A server that the environment does not name is started at the first call. */
export interface Services {
  /** Answers REDIS_URL, else starts Redis. @throws {LocalServerError} when Redis does not start. */
  redisUrl: () => Promise<string>;
  /** Answers the URLs of DATABASE_URL, else starts Postgres and makes its roles. @throws {LocalServerError, CliError} when that fails. */
  database: () => Promise<Database>;
}

/** Where the data lies, and who learns of the servers. */
export interface FindServicesOptions {
  root: string;
  env: Environment;
  print: (line: string) => void;
  /** Called with each server that has been started, also when a later step fails. */
  started: (service: { stop: () => Promise<void> }) => void;
}

/**
 * Reads which servers the environment names. It starts no server yet.
 *
 * @throws SecretFileError when the file of REDIS_URL, DATABASE_URL or DIRECT_URL cannot be read.
 */
export function findServices({ root, env, print, started }: FindServicesOptions): Services {
  const data = join(root, '.data');
  const own = async (name: string, start: (port?: number) => Promise<Service>): Promise<string> => {
    print(`Starting ${name} …`);
    const first = await start();
    // The apps know the port, so a server that is started again must listen on the same port.
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
