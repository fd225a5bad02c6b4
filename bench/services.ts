import { chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createProducerConnection } from '@landline/queue';
import { migrate } from '@landline/store';
import { Client } from 'pg';
import { startPostgres } from '../apps/cli/src/services/postgres.ts';
import { startRedis } from '../apps/cli/src/services/redis.ts';
import type { Service } from '../apps/cli/src/services/running-process.ts';
import type { Place } from './contender.ts';

/** What any production server sets, the same for all contenders; durability stays as it is: fsync and synchronous_commit on. */
export const POSTGRES_SETTINGS: Readonly<Record<string, string>> = {
  // A quarter of a small machine's memory is the usual rule; the default of 128 MB is for a laptop.
  shared_buffers: '1GB',
  // With the default of 1 GB a busy server does little but checkpoints.
  max_wal_size: '8GB',
  checkpoint_timeout: '15min',
  max_connections: '300',
  // The time of each commit is noted, so that the way from 200 to row can be measured.
  track_commit_timestamp: 'on',
};

/** What must hold, or the figures are worth nothing: every answered event is on disk. */
const DURABLE = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' };

const TEMPLATE = 'bench_template';
const REDIS_DATABASES = 256;

/** The servers of a run, and the places in them. */
export interface Services {
  redis: Service;
  postgres: Service;
  /** Settings that matter to the figures, as the servers tell them. */
  settings: Record<string, string>;
  /** Makes an empty place, or empties the one of that name. */
  place: (name: string) => Promise<Place>;
  /** Ends both servers. */
  stop: () => Promise<void>;
}

/**
 * Starts a Redis and a Postgres for the run alone.
 *
 * @throws When one of them would answer before its data is on disk.
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
    await Promise.all([redis.stop(), postgres.stop()]);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const told = { ...(await checkPostgres(postgres.url)), ...(await checkRedis(redis.url)) };
    await runSql(postgres.url, `CREATE DATABASE ${TEMPLATE}`);
    await migrate(databaseUrl(postgres.url, TEMPLATE));
    return {
      redis,
      postgres,
      settings: told,
      stop,
      async place(name) {
        const database = `bench_${name.replaceAll('-', '_')}`;
        const number = numbers.get(name) ?? numbers.size + 1;
        if (number >= REDIS_DATABASES) throw new Error('More places than Redis has databases.');
        numbers.set(name, number);
        const place = { redisUrl: `${redis.url}/${number}`, databaseUrl: databaseUrl(postgres.url, database) };
        await runSql(postgres.url, `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
        await runSql(postgres.url, `CREATE DATABASE ${database} TEMPLATE ${TEMPLATE}`);
        await withRedis(place.redisUrl, (connection) => connection.flushdb());
        return place;
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

type Connection = ReturnType<typeof createProducerConnection>;

/** How long a question to Redis may take, in milliseconds: it may be emptying gigabytes. */
const REDIS_LIMIT_MS = 60_000;

/** Runs `work` on a connection of its own. */
export async function withRedis<T>(url: string, work: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = createProducerConnection(url, { enqueueTimeoutMs: REDIS_LIMIT_MS });
  try {
    await connection.connect();
    return await work(connection);
  } finally {
    connection.disconnect();
  }
}

async function runSql(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

function databaseUrl(admin: string, database: string): string {
  const url = new URL(admin);
  url.pathname = database;
  return url.href;
}

async function checkPostgres(url: string): Promise<Record<string, string>> {
  const names = [...Object.keys(DURABLE), ...Object.keys(POSTGRES_SETTINGS)];
  const rows = await runSql(url, `SELECT ${names.map((name) => `current_setting('${name}') AS ${name}`).join(', ')}`);
  const told = Object.fromEntries(Object.entries(rows[0] ?? {}).map(([name, value]) => [name, String(value)]));
  for (const [name, value] of Object.entries(DURABLE)) {
    if (told[name] !== value)
      throw new Error(`Postgres has ${name}=${told[name]}: nothing measured on it would be durable.`);
  }
  return told;
}

async function checkRedis(url: string): Promise<Record<string, string>> {
  const names = ['appendonly', 'appendfsync'];
  return withRedis(url, async (connection) => {
    const told = await Promise.all(names.map((name) => connection.config('GET', name)));
    const [appendonly = '', appendfsync = ''] = told.map(([, value]) => String(value));
    if (appendonly !== 'yes' || appendfsync !== 'always') {
      const found = `appendonly ${appendonly}, appendfsync ${appendfsync}`;
      throw new Error(`Redis has ${found}: nothing measured on it would be durable.`);
    }
    return { appendonly, appendfsync };
  });
}
