import { rmSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
// These imports name files: vitest runs this set-up without the condition `source`, under which a package's name means its sources.
import { isRunning } from '../packages/local-servers/src/processes/is-running.ts';
import { startPostgres } from '../packages/local-servers/src/postgres/start-postgres.ts';
import { startRedis } from '../packages/local-servers/src/redis/start-redis.ts';
import type { Service } from '../packages/local-servers/src/processes/running-process.ts';
import { runPgBouncer, type PgBouncer } from './support/pgbouncer-process.ts';
import { copyCluster } from './support/copy-cluster.ts';
import { createTemplate } from './support/template.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of one Redis for the whole run: a test uses a key prefix or a database number of its own. */
    redisUrl: string;
    /** The superuser's URL of one Postgres for the whole run: `createDatabase` makes a database there. */
    databaseUrl: string;
    /** The data of that Postgres as it was before the first test, with the template: `startPrivatePostgres` starts on a copy. */
    clusterDir: string;
    /** `databaseUrl` behind PgBouncer, where PGBOUNCER=1 puts one before Postgres; else empty. */
    poolerUrl: string;
  }
}

// The cluster exists for one run, so it need not be durable. A test of durability starts its own Postgres.
const THROWAWAY = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=300'].flatMap(
  (setting) => ['-c', setting],
);

/** Each test file has a database of its own, and so pools of its own. */
const POOLER = { max_client_conn: 1000, default_pool_size: 10, server_idle_timeout: 30 };

/** Starts one Redis and one Postgres for the run. Answers a function that stops them and removes their data. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'landline-test-'));
  await chmod(folder, 0o755); // as root, Postgres runs as another user
  const running: Service[] = [];
  let pooler: PgBouncer | undefined;
  // At Ctrl-C vitest ends without its teardown. The servers have process groups of their own, so a terminal's Ctrl-C does not reach them.
  const endAtOnce = () => {
    for (const { pid } of running.filter((service) => isRunning(service.pid))) process.kill(pid, 'SIGQUIT');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', endAtOnce);
  const stop = async () => {
    process.off('exit', endAtOnce);
    await pooler?.stop();
    await Promise.all(running.map((service) => service.stop()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const redis = await startRedis({ dir: join(folder, 'redis'), port: 0, searchPath: process.env['PATH'] });
    running.push(redis);
    const dir = join(folder, 'postgres');
    const first = await startPostgres({ dir, port: 0, args: THROWAWAY });
    running.push(first);
    await createTemplate(first.url);
    await first.stop();
    running.pop();
    const clusterDir = join(folder, 'kept');
    await copyCluster(dir, clusterDir);
    const postgres = await startPostgres({ dir, port: 0, args: THROWAWAY });
    running.push(postgres);
    if (process.env['PGBOUNCER'] === '1') pooler = await runPgBouncer(postgres.url, { who: 'roles', settings: POOLER });
    project.provide('poolerUrl', pooler?.urlOf(postgres.url) ?? '');
    project.provide('redisUrl', redis.url);
    project.provide('databaseUrl', postgres.url);
    project.provide('clusterDir', clusterDir);
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}
