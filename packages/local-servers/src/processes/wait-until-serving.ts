import { setTimeout as wait } from 'node:timers/promises';
import { LocalServerError, type LocalServerErrorCode } from '../errors.ts';
import { isRunning } from './is-running.ts';
import { readLogTail } from './spawn-server.ts';

const POLL_MS = 20;
/** Loading 10 GB of Redis' append-only file, or replaying 1 GB of Postgres' log after a power cut, is well under this. */
const WITHIN_MS = 120_000;

/** A server that has been started, and how to tell that it serves. */
export interface StartingServer {
  pid: number;
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
export async function waitUntilServing({ pid, name, code, logFile, isServing }: StartingServer): Promise<void> {
  const deadline = performance.now() + WITHIN_MS;
  while (!(await isServing())) {
    if (!isRunning(pid) || performance.now() > deadline) {
      throw new LocalServerError(
        code,
        `${name} did not start. Its log, ${logFile}, ends with:\n${await readLogTail(logFile)}`,
      );
    }
    await wait(POLL_MS);
  }
}
