import { copyFile, rm } from 'node:fs/promises';
import { isRunning, type Service, startRedis } from '@landline/local-servers';
import { chooseQuietPort } from '../support/quiet-port.ts';
import { withRedis } from '../support/with-redis.ts';

/** A Redis to break: every write is on disk before it is answered. */
export interface RedisServer {
  port: number;
  /** Where its data lies. */
  dir: string;
  isRunning: () => boolean;
  kill: (signal: NodeJS.Signals) => void;
  /** SIGKILL; resolves when it is gone. */
  crash: () => Promise<void>;
  /** SIGTERM; resolves when it is gone. */
  stop: () => Promise<void>;
  /** Starts it again, on the same port and on what is left of its data. */
  start: () => Promise<void>;
  /** Removes its data; it must not run. */
  wipe: () => Promise<void>;
  /** Runs one command. */
  run: (command: readonly [string, ...string[]]) => Promise<unknown>;
  password: string;
}

/** How long one command may take, in ms. */
const COMMAND_LIMIT_MS = 10_000;

export interface RedisServerOptions {
  /** Its password is that one's, as a replica's must be that may take its place. */
  passwordOf?: RedisServer;
  /** Variables that it sees, such as those of its clock. */
  env?: Readonly<Record<string, string>> | undefined;
}

/** Starts a Redis. */
export async function startRedisServer(
  dir: string,
  { passwordOf, env }: RedisServerOptions = {},
): Promise<RedisServer> {
  if (passwordOf !== undefined) await copyFile(`${passwordOf.dir}-password`, `${dir}-password`);
  const begin = (onPort: number): Promise<Service> =>
    startRedis({ dir, port: onPort, searchPath: process.env['PATH'], env, endsWithUs: true });
  let service = await begin(await chooseQuietPort());
  const { port, password } = new URL(service.url);
  return {
    port: Number(port),
    dir,
    password,
    isRunning: () => isRunning(service.pid),
    kill: (signal) => void process.kill(service.pid, signal),
    async crash() {
      process.kill(service.pid, 'SIGKILL');
      await service.exited;
    },
    stop: () => service.stop(),
    async start() {
      service = await begin(Number(port));
    },
    wipe: () => rm(dir, { recursive: true, force: true }),
    run: ([name, ...rest]) => withRedis(service.url, (connection) => connection.call(name, ...rest), COMMAND_LIMIT_MS),
  };
}
