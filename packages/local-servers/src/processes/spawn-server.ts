import { readFile, rename, rm } from 'node:fs/promises';
import { LocalServerError, type LocalServerErrorCode } from '../errors.ts';
import { type ProcessOptions, type StartedProcess, startProcess } from './start-process.ts';

/** The environment of every server. Our own variables are left out: PGPORT, PGOPTIONS and others would change how a server starts. */
export const SERVER_ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', TZ: 'UTC' };

/** How often a starting server is checked, in ms. */
const POLL_MS = 20;
/**
 * How long a server may take until it serves, in ms. Redis loads an append-only file of 10 GB in well under this time, and Postgres
 * replays 1 GB of its log. With less, a server that recovers from a power cut would be stopped half-way.
 */
const WITHIN_MS = 120_000;

/** How to start a server process. */
export interface ServerCommand extends Pick<ProcessOptions, 'command' | 'account' | 'input' | 'endsWithUs'> {
  args: readonly string[];
  /** Variables in addition to `SERVER_ENVIRONMENT`. */
  env?: Readonly<Record<string, string>> | undefined;
  /** The file for its output. The output of the last run is kept as `<logFile>.1`. */
  logFile: string;
}

/**
 * Starts a server process.
 *
 * - It has a process group of its own: a terminal's Ctrl-C does not reach it before its clients have stopped.
 * - Its output goes to a file: the server outlives a killed supervisor without a broken pipe.
 *
 * @throws When the program cannot be run.
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

/** A server that has been started, and the check whether it serves. */
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
