import { chmod, mkdir, realpath, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Service, startPostgres, startRedis } from '@landline/local-servers';
import { migrate } from '@landline/store';
import { runSql } from '../test/support/run-sql.ts';
import { withRedis } from '../test/support/with-redis.ts';
import type { Place } from './contender.ts';

/** Usual settings of a production server, the same for all contenders. Durability stays on: fsync and synchronous_commit. */
const POSTGRES_SETTINGS: Readonly<Record<string, string>> = {
  // A quarter of a small machine's memory is the usual rule; the default of 128 MB is for a laptop.
  shared_buffers: '1GB',
  // With the default of 1 GB a busy server does little but checkpoints.
  max_wal_size: '8GB',
  checkpoint_timeout: '15min',
  max_connections: '300',
  // Postgres notes the time of each commit. The time from the 200 to the row is computed from that.
  track_commit_timestamp: 'on',
};

/** Settings that must hold. Without them an answered event might not be on disk, and the figures would be worth nothing. */
const DURABLE_POSTGRES = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' };
const DURABLE_REDIS = { appendonly: 'yes', appendfsync: 'always' };

const TEMPLATE = 'bench_template';
const REDIS_DATABASES = 256;

/** The servers of a run, with a place for each contender. */
export interface Services {
  redis: Service;
  postgres: Service;
  /** Settings that matter to the figures, as the servers report them. */
  settings: Record<string, string>;
  /** Makes an empty place, or empties the place of that name. */
  place: (name: string) => Promise<Place>;
  /** Ends both servers and removes their data. */
  stop: () => Promise<void>;
}

/**
 * Starts a Redis and a Postgres for the run alone.
 *
 * @throws When a server would answer before its data is on disk.
 */
export async function startServices(folder: string): Promise<Services> {
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o755); // as root, the servers may run as other users
  const searchPath = process.env['PATH'];
  const args = ['--databases', String(REDIS_DATABASES)];
  const redis = await startRedis({ dir: join(folder, 'redis'), port: 0, args, searchPath });
  const settings = Object.entries(POSTGRES_SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const postgres = await startPostgres({ dir: join(folder, 'postgres'), port: 0, args: settings });
  const numbers = new Map<string, number>();
  const stop = async (): Promise<void> => {
    // The data of Postgres may lie elsewhere, behind a link. That folder is removed as well.
    const data = join(folder, 'postgres');
    const home = dirname(await realpath(data).catch(() => data));
    await Promise.all([redis.stop(), postgres.stop()]);
    await Promise.all([folder, home].map((each) => rm(each, { recursive: true, force: true })));
  };

  async function place(name: string): Promise<Place> {
    const database = `bench_${name.replaceAll('-', '_')}`;
    const number = numbers.get(name) ?? numbers.size + 1;
    if (number >= REDIS_DATABASES) throw new Error('More places than Redis has databases.');
    numbers.set(name, number);
    const redisUrl = `${redis.url}/${number}`;
    await runSql(postgres.url, `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
    await runSql(postgres.url, `CREATE DATABASE ${database} TEMPLATE ${TEMPLATE}`);
    await withRedis(redisUrl, (connection) => connection.flushdb());
    return { redisUrl, databaseUrl: new URL(database, postgres.url).href };
  }

  try {
    const read = { ...(await readPostgresSettings(postgres.url)), ...(await readRedisSettings(redis.url)) };
    for (const [name, value] of Object.entries({ ...DURABLE_POSTGRES, ...DURABLE_REDIS })) {
      if (read[name] !== value) throw new Error(`${name} is ${read[name]}: nothing measured would be durable.`);
    }
    await runSql(postgres.url, `CREATE DATABASE ${TEMPLATE}`);
    await migrate(new URL(TEMPLATE, postgres.url).href);
    return { redis, postgres, settings: read, place, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function readPostgresSettings(url: string): Promise<Record<string, string>> {
  const names = [...Object.keys(DURABLE_POSTGRES), ...Object.keys(POSTGRES_SETTINGS)];
  const settings = names.map((name) => `current_setting('${name}') AS ${name}`).join(', ');
  return (await runSql<Record<string, string>>(url, `SELECT ${settings}`))[0] ?? {};
}

function readRedisSettings(url: string): Promise<Record<string, string>> {
  return withRedis(url, async (connection) => {
    const pairs = await Promise.all(Object.keys(DURABLE_REDIS).map((name) => connection.config('GET', name)));
    return Object.fromEntries(pairs.map((pair) => [String(pair[0]), String(pair[1])]));
  });
}
