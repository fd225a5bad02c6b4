import { rmSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
// Not by the package's name: vitest runs this without the condition under which that means the sources.
import { isRunning } from '../packages/local-servers/src/processes/is-running.ts';
import { startPostgres } from '../packages/local-servers/src/postgres/start-postgres.ts';
import { startRedis } from '../packages/local-servers/src/redis/start-redis.ts';
import type { Service } from '../packages/local-servers/src/processes/running-process.ts';
import { createTemplate } from './support/template.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** One Redis for the whole run: use a key prefix or database number of your own. */
    redisUrl: string;
    /** Superuser's URL of one Postgres for the whole run: `createDatabase` makes a database from it. */
    databaseUrl: string;
  }
}

// The cluster lasts for one run, so it need not be durable; a test of durability starts a Postgres of its own.
const THROWAWAY = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=300'].flatMap(
  (setting) => ['-c', setting],
);

/** Starts one Redis and one Postgres for the run. Returns the function that stops them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'landline-test-'));
  await chmod(folder, 0o755); // as root, Postgres runs as another user
  const running: Service[] = [];
  // At Ctrl-C vitest ends without its teardown, and the terminal's signal does not reach the servers.
  const endAtOnce = () => {
    for (const { pid } of running.filter((service) => isRunning(service.pid))) process.kill(pid, 'SIGQUIT');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', endAtOnce);
  const stop = async () => {
    process.off('exit', endAtOnce);
    await Promise.all(running.map((service) => service.stop()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const redis = await startRedis({ dir: join(folder, 'redis'), port: 0, searchPath: process.env['PATH'] });
    running.push(redis);
    const postgres = await startPostgres({ dir: join(folder, 'postgres'), port: 0, args: THROWAWAY });
    running.push(postgres);
    await createTemplate(postgres.url);
    project.provide('redisUrl', redis.url);
    project.provide('databaseUrl', postgres.url);
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}
