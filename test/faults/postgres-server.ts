import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'pg';
import { isRunning } from '../../apps/cli/src/services/is-running.ts';
import { startPostgres } from '../../apps/cli/src/services/postgres.ts';
import { endWithUs } from './end-with-us.ts';

/** A Postgres to break, and the suite's own way to ask it. */
export interface PostgresServer {
  port: number;
  /** Straight to it, past every proxy. */
  url: string;
  /** SIGKILL of its first process; resolves when that is gone. */
  crash: () => Promise<void>;
  stop: () => Promise<void>;
  start: () => Promise<void>;
  /** Runs one statement; rejects when the server is away. */
  sql: (statement: string, parameters?: readonly unknown[]) => Promise<Record<string, unknown>[]>;
  /** Runs one statement as soon as the server is there; one that cannot be run twice must not come here. */
  sqlPatiently: (statement: string, parameters?: readonly unknown[]) => Promise<Record<string, unknown>[]>;
  /** Closes the suite's own connection. */
  close: () => Promise<void>;
}

const TRY_AGAIN_MS = 250;
const PATIENCE_MS = 120_000;

/** Starts a Postgres with fsync on. */
export async function startPostgresServer(dir: string): Promise<PostgresServer> {
  const args = ['max_connections=100', 'shared_buffers=256MB', 'max_wal_size=2GB'].flatMap((setting) => [
    '-c',
    setting,
  ]);
  const begin = (port: number) => startPostgres({ dir, port, args });
  let service = await begin(0);
  const { url } = service;
  const port = Number(new URL(url).port);
  let client: Client | undefined;
  endWithUs(() => (isRunning(service.pid) ? service.pid : undefined));

  async function connected(): Promise<Client> {
    if (client !== undefined) return client;
    const opened = new Client({ connectionString: url, application_name: 'fault-suite', keepAlive: true });
    opened.on('error', () => (client = undefined));
    await opened.connect();
    client = opened;
    return opened;
  }

  async function sql(statement: string, parameters: readonly unknown[] = []): Promise<Record<string, unknown>[]> {
    const asked = await connected();
    try {
      return (await asked.query<Record<string, unknown>>(statement, [...parameters])).rows;
    } catch (error) {
      // A connection that has seen an error may be dead: the next question gets a new one.
      if (client === asked) client = undefined;
      asked.end().catch(() => undefined);
      throw error;
    }
  }

  return {
    port,
    url,
    async crash() {
      process.kill(service.pid, 'SIGKILL');
      await service.exited;
    },
    stop: () => service.stop(),
    async start() {
      service = await begin(port);
    },
    sql,
    async sqlPatiently(statement, parameters) {
      const deadline = performance.now() + PATIENCE_MS;
      for (;;) {
        try {
          // oxlint-disable-next-line no-await-in-loop -- tried again until it is there
          return await sql(statement, parameters);
        } catch (error) {
          if (performance.now() > deadline) throw error;
          // oxlint-disable-next-line no-await-in-loop -- tried again until it is there
          await wait(TRY_AGAIN_MS);
        }
      }
    },
    async close() {
      await client?.end().catch(() => undefined);
      client = undefined;
    },
  };
}
