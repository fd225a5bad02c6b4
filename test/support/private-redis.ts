import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isRunning, keepSecret, startRedis } from '@landline/local-servers';
import { chooseQuietPort } from './quiet-port.ts';
import { untilSeen } from './until-seen.ts';
import { withRedis } from './with-redis.ts';

/** How long one command may take, in milliseconds: a machine's disk may stand still for a while. */
const COMMAND_LIMIT_MS = 10_000;

/** A Redis for one test: the test may break it, and the names of the queues are fixed. */
export interface PrivateRedis {
  url: string;
  isRunning: () => boolean;
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
  /** Kills the server and removes its data. What a node of a Cluster knows of the others stays. */
  loseData: () => Promise<void>;
  /** Kills the server and removes all of its files. */
  remove: () => Promise<void>;
}

/** How to start one. */
export interface PrivateRedisOptions {
  /** A random one by default: servers that replicate each other share one. */
  password?: string | undefined;
  /** Where its data lies, in a folder that is there; by default in a temporary folder. */
  dir?: string | undefined;
}

/** Starts a Redis with the settings of `npm start`; `args` are further arguments of redis-server. */
export async function startPrivateRedis(
  args: readonly string[] = [],
  { password, dir: wanted }: PrivateRedisOptions = {},
): Promise<PrivateRedis> {
  const dir = wanted ?? join(await makeFolder(), 'data');
  if (password !== undefined) await keepSecret(`${dir}-password`, password);
  const start = (port: number) => startRedis({ dir, port, args, searchPath: process.env['PATH'], endsWithUs: true });
  let server = await start(await chooseQuietPort());
  const { url } = server;

  async function kill(): Promise<void> {
    if (!isRunning(server.pid)) return;
    let isGone = false;
    void server.exited.then(() => (isGone = true));
    process.kill(server.pid, 'SIGKILL');
    // Looked for by a timer: a suite that ends has nothing else that keeps Node from ending before.
    await untilSeen('the killed Redis is gone', () => Promise.resolve(isGone));
  }

  return {
    url,
    isRunning: () => isRunning(server.pid),
    run: ([name, ...rest]) => withRedis(url, (connection) => connection.call(name, ...rest), COMMAND_LIMIT_MS),
    stop: () => server.stop(),
    kill,
    async restart() {
      await kill();
      server = await start(Number(new URL(url).port));
    },
    freeze: () => void process.kill(server.pid, 'SIGSTOP'),
    thaw: () => void process.kill(server.pid, 'SIGCONT'),
    async loseData() {
      await kill();
      const files = (await readdir(dir)).filter((name) => name !== CLUSTER_FILE);
      await Promise.all(files.map((name) => rm(join(dir, name), { recursive: true })));
    },
    async remove() {
      await kill();
      await rm(wanted ?? dirname(dir), { recursive: true, force: true });
    },
  };
}

/** Where a node of a Cluster writes down what it knows of the others. */
const CLUSTER_FILE = 'nodes.conf';

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'landline-redis-'));
  await chmod(folder, 0o755); // as root, the server may run as another user
  return folder;
}
