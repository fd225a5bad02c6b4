import type { Redis } from 'ioredis';
import type { Place } from '../servers/place.ts';
import { createProducerConnection, firstAttempt } from './connection.ts';

/** How long the reply to a command without bodies may take, in ms: a busy Redis is no reason to write megabytes again. */
const BASE_LIMIT_MS = 5000;

/**
 * What each MiB adds, in ms. A line of 8 Mbit/s carries a MiB in a second; the slowest disk that a Redis with
 * `appendfsync always` should have is faster.
 */
const LIMIT_MS_PER_MEBIBYTE = 1000;

/** How often a limit is doubled at most: a limit has to end, or a dead socket would be waited for for ever. */
const MOST_DOUBLINGS = 5;

/** How long the end of a socket may take, in ms. */
const SOCKET_END_MS = 1000;

/** How long to wait for a connection, in ms. */
const CONNECT_LIMIT_MS = 2000;

const MEBIBYTE = 1024 * 1024;

/** Returns how long a write of so many bytes may take, in ms. Each failure before it doubles the limit, so any line is fast enough once. */
export function slowWriteLimitMs(bytes: number, failures = 0): number {
  const limit = BASE_LIMIT_MS + (LIMIT_MS_PER_MEBIBYTE * bytes) / MEBIBYTE;
  return Math.ceil(limit * 2 ** Math.min(failures, MOST_DOUBLINGS));
}

/** Makes a connection for slow writes, one at a time. It connects at `untilReady`. */
export function createSlowConnection({ redisUrl, ...place }: Place): Redis {
  return createProducerConnection(redisUrl, { ...place, enqueueTimeoutMs: BASE_LIMIT_MS });
}

/**
 * Sets how long Redis may take to answer the next commands, in ms. When that is over, ioredis cuts the socket, so that Redis does not
 * run the command later. The time-out of a command alone would leave its bytes under way; it is the longer one, and ends what a socket
 * does not.
 */
export function setTimeLimit({ options }: Redis, limitMs: number): void {
  options.socketTimeout = limitMs;
  options.commandTimeout = limitMs + SOCKET_END_MS;
}

/** Connects where needed. Resolves to whether the connection is up within two seconds. */
export async function untilReady(connection: Redis): Promise<boolean> {
  if (isReady(connection)) return true;
  if (connection.status === 'end') return false;
  if (connection.status === 'wait') void firstAttempt(connection);
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      connection.off('ready', done).off('end', done);
      resolve();
    };
    const timer = setTimeout(done, CONNECT_LIMIT_MS);
    connection.once('ready', done).once('end', done);
  });
  return isReady(connection);
}

/** The status may have changed since it was last read. */
function isReady({ status }: Redis): boolean {
  return status === 'ready';
}
