import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunning, keepSecret, startRedis } from '@landline/local-servers';
import { withRedis } from './with-redis.ts';

/** How long one command may take, in milliseconds. */
const COMMAND_LIMIT_MS = 2000;

/** A Redis for one test: the test may break it, and the names of the queues are fixed. */
export interface PrivateRedis {
  url: string;
  /** Runs one command, e.g. `['CONFIG', 'SET', 'maxmemory', '1mb']`. */
  run: (command: readonly [string, ...string[]]) => Promise<unknown>;
  /** Ends the server; its data stays. */
  stop: () => Promise<void>;
  /** Ends it at once, as a crash does. */
  kill: () => Promise<void>;
  /** Starts it again on the same port and data; where it runs, it is killed first. */
  restart: () => Promise<void>;
  /** Freezes the server: no answer comes, and no connection closes. */
  freeze: () => void;
  thaw: () => void;
  /** Kills the server and removes its data. */
  remove: () => Promise<void>;
}

/**
 * Starts a Redis with the settings of `npm start`; `args` are further arguments of redis-server. `password` is a random one by default: the
 * servers that replicate each other share one.
 */
export async function startPrivateRedis(
  args: readonly string[] = [],
  { password }: { password?: string } = {},
): Promise<PrivateRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'landline-redis-'));
  await chmod(folder, 0o755); // as root, the server may run as another user
  const dir = join(folder, 'data');
  if (password !== undefined) await keepSecret(`${dir}-password`, password);
  const start = (port: number) => startRedis({ dir, port, args, searchPath: process.env['PATH'], endsWithUs: true });
  let server = await start(0);
  const { url } = server;

  async function kill(): Promise<void> {
    if (!isRunning(server.pid)) return;
    process.kill(server.pid, 'SIGKILL');
    await server.exited;
  }

  return {
    url,
    run: ([name, ...rest]) => withRedis(url, (connection) => connection.call(name, ...rest), COMMAND_LIMIT_MS),
    stop: () => server.stop(),
    kill,
    async restart() {
      await kill();
      server = await start(Number(new URL(url).port));
    },
    freeze: () => void process.kill(server.pid, 'SIGSTOP'),
    thaw: () => void process.kill(server.pid, 'SIGCONT'),
    async remove() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
