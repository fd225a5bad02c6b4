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
/** Postgres' fast shutdown, its immediate one, and a kill. After the last two Postgres recovers at the next start; nothing is lost. */
const STOP_STEPS: readonly StopStep[] = [
  { signal: 'SIGINT', withinMs: 5_000 },
  { signal: 'SIGQUIT', withinMs: 3_000 },
  { signal: 'SIGKILL', withinMs: 2_000 },
];

/** How to start the embedded Postgres. */
export interface PostgresOptions {
  /** The folder of its data. The files `<dir>-password` and `<dir>.log` lie beside this folder. */
  dir: string;
  /** TCP port on 127.0.0.1; by default 54329 when that is free, else any free port. 0 means any free port. */
  port?: number;
  /** Further arguments of postgres, e.g. `['-c', 'fsync=off']`. */
  args?: readonly string[];
  /** Whether this process kills Postgres on exit. `npm start` does not. */
  endsWithUs?: boolean;
}

/**
 * Starts the embedded Postgres with the database `landline`. It makes the cluster where there is none, and first stops a Postgres that
 * a killed run left on the same folder.
 *
 * @returns The running server; its URL is the superuser's.
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

/**
 * How long the children of a killed server may hold its shared memory, in milliseconds. They end by themselves when they notice that the
 * server is gone, and until then no new server starts.
 */
const CHILDREN_END_WITHIN_MS = 30_000;
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
  const deadline = performance.now() + CHILDREN_END_WITHIN_MS;
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

/** Reads two lines of postmaster.pid: the first is the process number, the eighth the status (as in pg_ctl). */
async function readPidFile(dataFolder: string): Promise<{ pid: number; status: string }> {
  const text = await readFile(join(dataFolder, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n').map((line) => line.trim());
  return { pid: Number(lines[0] ?? 0), status: lines[7] ?? '' };
}

async function stopLeftOver(dataFolder: string): Promise<void> {
  const { pid } = await readPidFile(dataFolder);
  if (pid <= 0 || !isRunning(pid)) return; // Postgres itself removes the file of a server that has ended
  if (await isServerOf(pid, ['postgres'], dataFolder)) await stopProcess(pid, STOP_STEPS);
  // Another process has this number now, for example after a reboot. Postgres would take that process for a server, and would not start.
  else await rm(join(dataFolder, 'postmaster.pid'));
}
