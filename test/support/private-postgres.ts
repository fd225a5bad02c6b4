import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { startPostgres } from '@landline/local-servers';
import { inject, onTestFinished } from 'vitest';
import { copyCluster } from './copy-cluster.ts';
import { startPgBouncer } from './pgbouncer.ts';
import { makeTempFolder } from './temp-folder.ts';
import { chooseQuietPort } from './quiet-port.ts';
import { TEMPLATE } from './template.ts';

/** A migrated Postgres that the running test may break. It is removed when the test ends. */
export interface PrivatePostgres {
  /** Where the product reaches it: behind a PgBouncer of its own, where the tests run so. */
  url: string;
  /** The same without PgBouncer. */
  directUrl: string;
  /** Ends the server; its data stays. */
  stop: () => Promise<void>;
  /** Starts the server again on the same port and data. */
  restart: () => Promise<void>;
  /** Ends the server and all its processes at once, as a crash does. */
  kill: () => Promise<void>;
  /** Copies the data of a stopped server. Resolves with a function that replaces the data by the copy. */
  keepData: () => Promise<() => Promise<void>>;
  /** Freezes the server and all its processes: no answer comes, and no connection closes. */
  freeze: () => Promise<void>;
  thaw: () => Promise<void>;
}

/** By default PgBouncer tries a server that was away only after 15 s. */
const POOLER = { max_client_conn: 1000, server_login_retry: 1 };

/** Starts a Postgres whose tables have been made already; `args` are further arguments of postgres. */
export async function startPrivatePostgres(args: readonly string[] = []): Promise<PrivatePostgres> {
  const dir = `${await makeTempFolder()}/postgres`;
  await copyCluster(inject('clusterDir'), dir);
  let server = await startPostgres({ dir, port: await chooseQuietPort(), args });
  onTestFinished(() => server.stop());
  const url = new URL(TEMPLATE, server.url).href;
  const isPooled = inject('poolerUrl') !== '';
  const signal = async (name: NodeJS.Signals) => {
    for (const pid of [server.pid, ...(await childrenOf(server.pid))]) process.kill(pid, name);
  };
  return {
    url: isPooled ? await startPgBouncer(url, POOLER) : url,
    directUrl: url,
    stop: () => server.stop(),
    async restart() {
      server = await startPostgres({ dir, port: Number(new URL(url).port), args });
    },
    async kill() {
      await signal('SIGKILL');
      await server.exited;
    },
    async keepData() {
      await copyFolder(dir, `${dir}.kept`);
      return async () => {
        await rm(dir, { recursive: true });
        await copyFolder(`${dir}.kept`, dir);
      };
    },
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
  };
}

async function childrenOf(parent: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=']);
  const pairs = stdout.split('\n').map((line) => line.trim().split(/\s+/).map(Number));
  return pairs.flatMap(([pid = 0, ppid]) => (ppid === parent ? [pid] : []));
}

/** Copies a folder with owners and times: as root, Postgres runs as another user. */
async function copyFolder(from: string, to: string): Promise<void> {
  await promisify(execFile)('cp', ['-a', from, to]);
}
