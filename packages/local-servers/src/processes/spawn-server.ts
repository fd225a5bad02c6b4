import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, rename, rm } from 'node:fs/promises';

/** What a server sees of the environment: nothing of ours, since PGPORT, PGOPTIONS and their like change what starts. */
export const SERVER_ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', TZ: 'UTC' };

/** The user a server runs as when the set-up itself runs as root. */
export interface Account {
  uid: number;
  gid: number;
}

/** How to start a server process. */
export interface ServerCommand {
  command: string;
  args: readonly string[];
  /** Where its output goes; the last run's is kept beside it as `<logFile>.1`. */
  logFile: string;
  account?: Account | undefined;
  /** Text for its standard input. */
  input?: string;
}

/** A server process that was started. */
export interface SpawnedServer {
  pid: number;
  /** Resolves when the process has ended, with how: `code 1`, `SIGKILL`. */
  exited: Promise<string>;
}

/**
 * Starts a server in a process group of its own, so that a terminal's Ctrl-C does not reach it before its clients have
 * stopped, and with its output in a file, so that it outlives a killed supervisor without a broken pipe.
 */
export async function spawnServer({ command, args, logFile, account, input }: ServerCommand): Promise<SpawnedServer> {
  await rename(logFile, `${logFile}.1`).catch(() => rm(logFile, { force: true }));
  const log = await open(logFile, 'a', 0o600);
  try {
    const child = spawn(command, args, {
      cwd: '/',
      detached: true,
      stdio: ['pipe', log.fd, log.fd],
      env: SERVER_ENVIRONMENT,
      ...account,
    });
    const exited = new Promise<string>((resolve) => {
      child.once('exit', (code, signal) => resolve(signal ?? `code ${code}`));
    });
    await once(child, 'spawn');
    child.stdin?.on('error', () => {}).end(input ?? '');
    child.unref();
    if (child.pid === undefined) throw new Error(`${command} has no process number`);
    return { pid: child.pid, exited };
  } finally {
    await log.close();
  }
}

/** The last lines of a server's log, for an error message. */
export async function readLogTail(logFile: string): Promise<string> {
  const text = await readFile(logFile, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-8).join('\n');
}
