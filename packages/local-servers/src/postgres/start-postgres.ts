import { readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { choosePort } from '../machine/choose-port.ts';
import { isRunning } from '../processes/is-running.ts';
import { isServerOf } from '../processes/process-identity.ts';
import type { Service } from '../processes/running-process.ts';
import { spawnServer, waitUntilServing } from '../processes/spawn-server.ts';
import { describeExit, type StartedProcess } from '../processes/start-process.ts';
import { stopProcess, type StopStep } from '../processes/stop-process.ts';
import { readOrMakeSecret } from '../secret-file.ts';
import { hasCluster, makeCluster, POSTGRES_NAME, setPassword } from './cluster.ts';
import { preparePostgresHome, type PostgresHome } from './home.ts';

const PREFERRED_PORT = 54329;
/** Postgres' fast, immediate and last shutdown; the second needs recovery at the next start, and loses nothing. */
const STOP_STEPS: readonly StopStep[] = [
  { signal: 'SIGINT', withinMs: 5_000 },
  { signal: 'SIGQUIT', withinMs: 3_000 },
  { signal: 'SIGKILL', withinMs: 2_000 },
];

/** How to start the embedded Postgres. */
export interface PostgresOptions {
  /** Where its data rests. Beside it: `<dir>-password` and `<dir>.log`. */
  dir: string;
  /** TCP port on 127.0.0.1; by default 54329 when free, else any; 0: any. */
  port?: number;
  /** Further arguments of postgres, e.g. `['-c', 'fsync=off']`. */
  args?: readonly string[];
  /** Whether this process kills it on exit, as `npm start` does not. */
  endsWithUs?: boolean;
}

/**
 * Starts the embedded Postgres with the database `landline`, and makes its cluster first if there is none. One that a
 * killed run has left behind on the same folder is stopped first.
 *
 * @returns The service; its URL is that of the superuser.
 * @throws  {LocalServerError} `postgres_unsupported` or `postgres_failed`.
 */
export async function startPostgres({ dir, port, args = [], endsWithUs = false }: PostgresOptions): Promise<Service> {
  const folder = resolve(dir);
  const home = await preparePostgresHome(folder);
  if (!(await hasCluster(home))) await makeCluster(home);
  await stopLeftOver(home.dataFolder);
  const password = await readOrMakeSecret(`${folder}-password`, (secret) => setPassword(home, secret));
  const chosen = port || (await choosePort(port ?? PREFERRED_PORT)); // 0: any free one
  const logFile = `${folder}.log`;
  const settings = ['-p', String(chosen), ...SETTINGS, ...args];
  const server = await startServer(home, { settings, logFile, endsWithUs });
  const url = `postgresql://${POSTGRES_NAME}:${password}@127.0.0.1:${chosen}/${POSTGRES_NAME}`;
  const stop = async () => void (await stopProcess(server.pid, STOP_STEPS));
  return { url, pid: server.pid, exited: server.exited.then(describeExit), stop };
}

/** How long the children of a killed server may hold on to its memory, in milliseconds. They notice its death by themselves. */
const ORPHANS_LEAVE_WITHIN_MS = 30_000;
const TRY_AGAIN_MS = 200;

interface ServerOptions {
  settings: readonly string[];
  logFile: string;
  endsWithUs: boolean;
}

async function startServer(
  home: PostgresHome,
  { settings, logFile, endsWithUs }: ServerOptions,
): Promise<StartedProcess> {
  const deadline = performance.now() + ORPHANS_LEAVE_WITHIN_MS;
  for (;;) {
    const server = await spawnServer({
      command: join(home.binFolder, 'postgres'),
      args: ['-D', home.dataFolder, ...settings],
      logFile,
      account: home.account,
      endsWithUs,
    });
    const isServing = async (): Promise<boolean> => {
      const { pid, status } = await readPidFile(home.dataFolder);
      return pid === server.pid && status === 'ready';
    };
    try {
      await waitUntilServing({ process: server, name: 'Postgres', code: 'postgres_failed', logFile, isServing });
      return server;
    } catch (error) {
      await stopProcess(server.pid, STOP_STEPS);
      const isHeld = String(error).includes('pre-existing shared memory block');
      if (!isHeld || performance.now() > deadline) throw error;
      await wait(TRY_AGAIN_MS);
    }
  }
}

const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'fsync=on',
  'synchronous_commit=on',
  'timezone=UTC',
].flatMap((setting) => ['-c', setting]);

/** The lines of postmaster.pid that matter here: the first and the eighth (see pg_ctl). */
async function readPidFile(dataFolder: string): Promise<{ pid: number; status: string }> {
  const text = await readFile(join(dataFolder, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n').map((line) => line.trim());
  return { pid: Number(lines[0] ?? 0), status: lines[7] ?? '' };
}

async function stopLeftOver(dataFolder: string): Promise<void> {
  const { pid } = await readPidFile(dataFolder);
  if (pid <= 0 || !isRunning(pid)) return; // Postgres itself clears the file of a dead one
  if (await isServerOf(pid, ['postgres'], dataFolder)) await stopProcess(pid, STOP_STEPS);
  // The number was given to another process since, after a reboot say: Postgres would take that for itself and refuse.
  else await rm(join(dataFolder, 'postmaster.pid'));
}
