import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { resolve } from 'node:path';
import { choosePort } from '../machine/choose-port.ts';
import { findRedisServer } from './find-redis-server.ts';
import { thisMachine } from '../machine/machine.ts';
import { isServerOf } from '../processes/process-identity.ts';
import { makeRoom, redisMemoryBytes } from './redis-memory.ts';
import { readOrMakeSecret } from '../secret-file.ts';
import type { Service } from '../processes/running-process.ts';
import { type Account, spawnServer } from '../processes/spawn-server.ts';
import { stopProcess, type StopStep } from '../processes/stop-process.ts';
import { waitUntilServing } from '../processes/wait-until-serving.ts';

const PREFERRED_PORT = 63799;
const STOP_STEPS: readonly StopStep[] = [
  { signal: 'SIGTERM', withinMs: 5_000 },
  { signal: 'SIGKILL', withinMs: 2_000 },
];

/** How to start the private Redis. */
export interface RedisOptions {
  /** Where its data rests. Beside it: `<dir>-password`, `<dir>.log`, `<dir>.pid`. */
  dir: string;
  /** TCP port on 127.0.0.1; by default 63799 when free, else any; 0: any. */
  port?: number;
  /** Further arguments of redis-server, e.g. `['--maxmemory', '64mb']`. */
  args?: readonly string[];
  /** How much memory it may use, in bytes; by default 40 % of the machine's. Data that is larger already gets more. */
  maxMemoryBytes?: number;
  /** PATH to look for the server along; the usual folders are looked at as well. */
  searchPath?: string | undefined;
}

/**
 * Starts a private Redis (or Valkey) whose every acknowledged write is on disk. One that a killed run has left behind
 * on the same folder is stopped first.
 *
 * @throws {LocalServerError} `redis_missing` or `redis_failed`.
 */
export async function startRedis({ dir, port, args = [], searchPath, ...limit }: RedisOptions): Promise<Service> {
  const folder = resolve(dir);
  const binary = await findRedisServer(thisMachine(searchPath));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await stopLeftOver(folder);
  const password = await readOrMakeSecret(`${folder}-password`);
  const chosen = port || (await choosePort(port ?? PREFERRED_PORT)); // 0: any free one
  const logFile = `${folder}.log`;
  const maxMemoryBytes = limit.maxMemoryBytes ?? redisMemoryBytes();
  const url = `redis://:${password}@127.0.0.1:${chosen}`;
  const server = await spawnServer({
    command: binary,
    args: ['-', ...args],
    input: configuration({ folder, port: chosen, password, maxMemoryBytes }),
    logFile,
    account: await ownerOf(folder),
  });
  await writeFile(`${folder}.pid`, `${server.pid}\n`);
  const stop = () => stopRedis(server.pid, folder);
  const isServing = () => answersPing({ port: chosen, password });
  try {
    await waitUntilServing({ pid: server.pid, name: 'Redis', code: 'redis_failed', logFile, isServing });
    if (!args.includes('--maxmemory')) await makeRoom(url);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, pid: server.pid, exited: server.exited, stop };
}

interface Endpoint {
  port: number;
  password: string;
}

// On standard input, not among the arguments: those are open to every user of the machine.
function configuration({
  folder,
  port,
  password,
  maxMemoryBytes,
}: Endpoint & { folder: string; maxMemoryBytes: number }): string {
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

// Root that starts what an ordinary user started before must not leave files which that user cannot open.
async function ownerOf(folder: string): Promise<Account | undefined> {
  const { uid, gid } = await stat(folder);
  return process.getuid?.() === 0 && uid !== 0 ? { uid, gid } : undefined;
}

/** While the append-only file is loaded the server answers -LOADING. */
function answersPing({ port, password }: Endpoint): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let answer = '';
    socket.setTimeout(1_000, () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', () => done(answer.includes('+PONG')));
    socket.on('data', (bytes) => {
      answer += bytes.toString('latin1');
    });
    socket.write(`AUTH ${password}\r\nPING\r\nQUIT\r\n`);
  });
}
