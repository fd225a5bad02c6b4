import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { choosePort } from '../machine/choose-port.ts';
import { thisMachine } from '../machine/machine.ts';
import { isServerOf } from '../processes/process-identity.ts';
import type { Service } from '../processes/running-process.ts';
import { spawnServer, waitUntilServing } from '../processes/spawn-server.ts';
import { type Account, describeExit } from '../processes/start-process.ts';
import { stopProcess, type StopStep } from '../processes/stop-process.ts';
import { readOrMakeSecret } from '../secret-file.ts';
import { askRedis } from './ask-redis.ts';
import { findRedisServer } from './find-redis-server.ts';
import { makeRoom, redisMemoryBytes } from './redis-memory.ts';

const PREFERRED_PORT = 63799;
const PING_LIMIT_MS = 1_000;
const STOP_STEPS: readonly StopStep[] = [
  { signal: 'SIGTERM', withinMs: 5_000 },
  { signal: 'SIGKILL', withinMs: 2_000 },
];

/** How to start the private Redis. */
export interface RedisOptions {
  /** The folder of its data. The files `<dir>-password`, `<dir>.log` and `<dir>.pid` lie beside this folder. */
  dir: string;
  /** TCP port on 127.0.0.1; by default 63799 when that is free, else any free port. 0 means any free port. */
  port?: number;
  /** Further arguments of redis-server, e.g. `['--maxmemory', '64mb']`. */
  args?: readonly string[];
  /** How much memory Redis may use, in bytes; by default 40 % of the machine's. Where the data is larger already, the limit is raised. */
  maxMemoryBytes?: number;
  /** The PATH on which the server is searched for, before the usual folders. */
  searchPath?: string | undefined;
  /** Variables of the server's environment beside PATH, LC_ALL and TZ, such as LD_PRELOAD. */
  env?: Readonly<Record<string, string>> | undefined;
  /** Whether this process kills Redis on exit. `npm start` does not. */
  endsWithUs?: boolean;
}

/**
 * Starts a private Redis (or Valkey) that writes to disk before it acknowledges. It first stops a Redis that a killed run left on the
 * same folder.
 *
 * @returns The running server, with its URL.
 * @throws {LocalServerError} `redis_missing` or `redis_failed`.
 */
export async function startRedis(options: RedisOptions): Promise<Service> {
  const { dir, port, args = [], searchPath, env, endsWithUs = false } = options;
  const folder = resolve(dir);
  const binary = await findRedisServer(thisMachine(searchPath));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await stopLeftOver(folder);
  const password = await readOrMakeSecret(`${folder}-password`);
  const chosen = port || (await choosePort(port ?? PREFERRED_PORT)); // 0: any free one
  const logFile = `${folder}.log`;
  const maxMemoryBytes = options.maxMemoryBytes ?? redisMemoryBytes();
  const url = `redis://:${password}@127.0.0.1:${chosen}`;
  const server = await spawnServer({
    command: binary,
    args: ['-', ...args],
    input: configuration({ folder, port: chosen, password, maxMemoryBytes }),
    logFile,
    account: await ownerOf(folder),
    env,
    endsWithUs,
  });
  await writeFile(`${folder}.pid`, `${server.pid}\n`);
  const stop = () => stopRedis(server.pid, folder);
  const isServing = () => serves(url, server.pid);
  try {
    await waitUntilServing({ process: server, name: 'Redis', code: 'redis_failed', logFile, isServing });
    if (!args.includes('--maxmemory')) await makeRoom(url);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, pid: server.pid, exited: server.exited.then(describeExit), stop };
}

interface Settings {
  folder: string;
  port: number;
  password: string;
  maxMemoryBytes: number;
}

// Redis reads this from its standard input. Every user of the machine can see the arguments of a process, and this holds a password.
function configuration({ folder, port, password, maxMemoryBytes }: Settings): string {
  return `bind 127.0.0.1
port ${port}
dir ${JSON.stringify(folder)}
requirepass ${password}
appendonly yes
appendfsync always
save ""
maxmemory-policy noeviction
maxmemory ${maxMemoryBytes}
daemonize no
`;
}

async function stopRedis(pid: number, folder: string): Promise<void> {
  await stopProcess(pid, STOP_STEPS);
  await rm(`${folder}.pid`, { force: true });
}

async function stopLeftOver(folder: string): Promise<void> {
  const pid = Number(await readFile(`${folder}.pid`, 'utf8').catch(() => '0'));
  if (pid > 0 && (await isServerOf(pid, ['redis-server', 'valkey-server'], folder))) await stopRedis(pid, folder);
}

// When root starts Redis on the folder of an ordinary user, Redis runs as that user. Otherwise it would leave files that the user cannot open.
async function ownerOf(folder: string): Promise<Account | undefined> {
  const { uid, gid } = await stat(folder);
  return process.getuid?.() === 0 && uid !== 0 ? { uid, gid } : undefined;
}

/**
 * Checks whether this Redis serves. While Redis loads its append-only file, it answers -LOADING instead of +PONG. Another one that took the port
 * first, and has the same password, has another process id.
 */
function serves(url: string, pid: number): Promise<boolean> {
  return askRedis(url, ['PING', 'INFO server'], PING_LIMIT_MS).then(
    (answers) => answers.includes('+PONG') && answers.includes(`process_id:${pid}`),
    () => false,
  );
}
