import { readFile, rename, rm } from 'node:fs/promises';
import { LocalServerError, type LocalServerErrorCode } from '../errors.ts';
import { type ProcessOptions, type StartedProcess, startProcess } from './start-process.ts';

/** What a server sees of the environment: nothing of ours, since PGPORT, PGOPTIONS and their like change what starts. */
export const SERVER_ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', TZ: 'UTC' };

/** How often a server is asked whether it serves, in ms. */
const POLL_MS = 20;
/** Loading 10 GB of Redis' append-only file, or replaying 1 GB of Postgres' log after a power cut, is well under this. */
const WITHIN_MS = 120_000;

/** How to start a server process. */
export interface ServerCommand extends Pick<ProcessOptions, 'command' | 'account' | 'input' | 'endsWithUs'> {
  args: readonly string[];
  /** Variables beside those that every server has. */
  env?: Readonly<Record<string, string>> | undefined;
  /** Where its output goes; the last run's is kept beside it as `<logFile>.1`. */
  logFile: string;
}

/**
 * Starts a server in a process group of its own, so that a terminal's Ctrl-C does not reach it before its clients have
 * stopped, and with its output in a file, so that it outlives a killed supervisor without a broken pipe.
 */
export async function spawnServer({ logFile, env, ...command }: ServerCommand): Promise<StartedProcess> {
  await rename(logFile, `${logFile}.1`).catch(() => rm(logFile, { force: true }));
  return startProcess({
    ...command,
    cwd: '/',
    env: { ...SERVER_ENVIRONMENT, ...env },
    output: { file: logFile },
    ownGroup: true,
    outlivesUs: true,
  });
}

/** A server that has been started, and how to tell that it serves. */
export interface StartingServer {
  process: StartedProcess;
  name: string;
  code: LocalServerErrorCode;
  logFile: string;
  isServing: () => Promise<boolean>;
}

/**
 * Waits until a server serves.
 *
 * @throws {LocalServerError} with `code` and the end of the server's log: it ended, or does not serve after two minutes.
 */
export async function waitUntilServing({ process, name, code, logFile, isServing }: StartingServer): Promise<void> {
  await process.until(isServing, { withinMs: WITHIN_MS, pollMs: POLL_MS }).catch(async (cause: unknown) => {
    const log = await readLogTail(logFile);
    throw new LocalServerError(code, `${name} did not start. Its log, ${logFile}, ends with:\n${log}`, { cause });
  });
}

/** The last lines of a server's log, for an error message. */
async function readLogTail(logFile: string): Promise<string> {
  const text = await readFile(logFile, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-8).join('\n');
}
