import { join } from 'node:path';
import { startPostgres } from '../services/postgres.ts';
import { startRedis } from '../services/redis.ts';
import type { Service } from '../services/running-process.ts';
import type { Environment } from './env-file.ts';
import { keepRunning } from './keep-running.ts';

/** Where the servers are, and how to stop those of ours. */
export interface Services {
  databaseUrl: string;
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

/** Starts the servers that `env` names no other for: Postgres unless DATABASE_URL is set, Redis unless REDIS_URL is. */
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
  const redisUrl = env['REDIS_URL'] || (await own('Redis', redis));
  const databaseUrl = env['DATABASE_URL'] || (await own('Postgres', postgres));
  return { databaseUrl, redisUrl };
}
