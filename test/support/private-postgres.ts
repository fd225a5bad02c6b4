import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { migrate } from '@landline/store';
import { onTestFinished } from 'vitest';
import { startPostgres } from '../../apps/cli/src/services/postgres.ts';
import { makeTempFolder } from './temp-folder.ts';

/** A migrated Postgres of the running test's own, to break. It goes when the test ends. */
export interface PrivatePostgres {
  url: string;
  /** Ends the server; its data stays. */
  stop: () => Promise<void>;
  /** Starts it again on the same port and data. */
  restart: () => Promise<void>;
  /** Stops it and all its processes from answering, without closing a connection. */
  freeze: () => Promise<void>;
  thaw: () => Promise<void>;
}

/** Starts one. */
export async function startPrivatePostgres(): Promise<PrivatePostgres> {
  const dir = `${await makeTempFolder()}/postgres`;
  let server = await startPostgres({ dir, port: 0 });
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
      server = await startPostgres({ dir, port: Number(new URL(url).port) });
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
