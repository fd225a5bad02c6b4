import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { startPostgres } from '@landline/local-servers';
import { migrate } from '@landline/store';
import { onTestFinished } from 'vitest';
import { makeTempFolder } from './temp-folder.ts';

/** A migrated Postgres of the running test's own, to break. It goes when the test ends. */
export interface PrivatePostgres {
  url: string;
  /** Ends the server; its data stays. */
  stop: () => Promise<void>;
  /** Starts it again on the same port and data. */
  restart: () => Promise<void>;
  /** Ends the server and all its processes at once, as a crash does. */
  kill: () => Promise<void>;
  /** Of a server that is stopped: keeps a copy of its data. What it answers puts that back in the place of what is there then. */
  keepData: () => Promise<() => Promise<void>>;
  /** Stops it and all its processes from answering, without closing a connection. */
  freeze: () => Promise<void>;
  thaw: () => Promise<void>;
}

/** Starts one; `args` are further arguments of postgres. */
export async function startPrivatePostgres(args: readonly string[] = []): Promise<PrivatePostgres> {
  const dir = `${await makeTempFolder()}/postgres`;
  let server = await startPostgres({ dir, port: 0, args });
  onTestFinished(() => server.stop());
  const { url } = server;
  await migrate(url);
  const signal = async (name: NodeJS.Signals) => {
    for (const pid of [server.pid, ...(await childrenOf(server.pid))]) process.kill(pid, name);
  };
  return {
    url,
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

/** With owners and times: as root, Postgres runs as another user. */
async function copyFolder(from: string, to: string): Promise<void> {
  await promisify(execFile)('cp', ['-a', from, to]);
}
