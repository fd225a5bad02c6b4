import { execFile } from 'node:child_process';
import { mkdir, readdir, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isRunning, type Service, startPostgres } from '@landline/local-servers';
import { Client } from 'pg';
import { chooseQuietPort } from '../support/quiet-port.ts';

/** A Postgres to break, and the suite's own way to ask it. */
export interface PostgresServer {
  port: number;
  /** Straight to it, past every proxy. */
  url: string;
  isRunning: () => boolean;
  /** SIGKILL of its first process; resolves when that is gone. */
  crash: () => Promise<void>;
  stop: () => Promise<void>;
  start: () => Promise<void>;
  /** Runs one statement; rejects when the server is away. */
  sql: (statement: string, parameters?: readonly unknown[]) => Promise<Record<string, unknown>[]>;
  /** Runs one statement as soon as the server is there; one that cannot be run twice must not come here. */
  sqlPatiently: (statement: string, parameters?: readonly unknown[]) => Promise<Record<string, unknown>[]>;
  /** Copies its data, table spaces included; it must not run. @returns Puts the copy in the place of the data; it must not run then either. */
  copyData: () => Promise<() => Promise<void>>;
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
  const begin = (onPort: number): Promise<Service> => startPostgres({ dir, port: onPort, args, endsWithUs: true });
  let service = await begin(await chooseQuietPort());
  const { url } = service;
  const port = Number(new URL(url).port);
  let client: Client | undefined;

  /** A connection that has seen an error may be dead: the next question gets a new one. */
  function forget(old: Client): void {
    if (client === old) client = undefined;
    old.end().catch(() => undefined);
  }

  async function connected(): Promise<Client> {
    if (client !== undefined) return client;
    const opened = new Client({ connectionString: url, application_name: 'fault-suite', keepAlive: true });
    opened.on('error', () => forget(opened));
    await opened.connect();
    client = opened;
    return opened;
  }

  async function sql(statement: string, parameters: readonly unknown[] = []): Promise<Record<string, unknown>[]> {
    const asked = await connected();
    try {
      return (await asked.query<Record<string, unknown>>(statement, [...parameters])).rows;
    } catch (error) {
      forget(asked);
      throw error;
    }
  }

  return {
    port,
    url,
    isRunning: () => isRunning(service.pid),
    async crash() {
      process.kill(service.pid, 'SIGKILL');
      await service.exited;
    },
    stop: () => service.stop(),
    async start() {
      service = await begin(port);
    },
    sql,
    copyData: () => copyData(dir),
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

const run = promisify(execFile);

/** Each folder that its data lie in, beside a copy of it. */
async function copyData(dir: string): Promise<() => Promise<void>> {
  const home = await realpath(dir);
  const spaces = join(home, 'pg_tblspc');
  const linked = await Promise.all((await readdir(spaces)).map((name) => realpath(join(spaces, name))));
  const copies = [home, ...linked].map((folder, i) => ({ folder, copy: `${home}-copy-${i}` }));
  for (const { folder, copy } of copies) {
    // oxlint-disable-next-line no-await-in-loop -- one disk
    await copyOver(folder, copy);
  }
  return async () => {
    for (const { folder, copy } of copies) {
      // oxlint-disable-next-line no-await-in-loop -- one disk
      await copyOver(copy, folder);
      // oxlint-disable-next-line no-await-in-loop -- one disk
      await rm(copy, { recursive: true });
    }
  };
}

/** The folder itself stays: it may be a mount. */
async function copyOver(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  await run('find', [to, '-mindepth', '1', '-delete']);
  await run('cp', ['-a', '--reflink=auto', `${from}/.`, to]);
}
