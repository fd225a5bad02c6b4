import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createProducerConnection, endConnection } from '../../src/redis/connection.ts';
import { findRedisServer } from './redis-server.ts';
import { waitUntil } from './wait-until.ts';

/** A Redis of the test's own, to break. */
export interface PrivateRedis {
  url: string;
  /** Stops it from answering, without closing a socket. */
  freeze(): void;
  thaw(): void;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data. */
  restart(): Promise<void>;
  /** Runs one command, e.g. `['CONFIG', 'SET', 'maxmemory', '1']`. */
  run(command: [string, ...string[]]): Promise<unknown>;
  stop(): Promise<void>;
}

const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', '', '--maxmemory', '1gb'];

/**
 * Starts a `redis-server`, or a `valkey-server`, on a free port of loopback with its data in a folder of its own; later `args` win
 * over the durable ones. `searchPath` is the PATH to look for it along.
 */
export async function startPrivateRedis(
  args: string[] = [],
  searchPath = process.env['PATH'] ?? '',
): Promise<PrivateRedis> {
  const program = findRedisServer(searchPath);
  const port = await freePort();
  const dir = await mkdtemp(join(tmpdir(), 'landline-redis-'));
  const url = `redis://127.0.0.1:${port}`;
  let server = await start();

  async function start(): Promise<ChildProcess> {
    const all = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, ...DURABLE, ...args];
    const child = spawn(program, all, { stdio: 'ignore' });
    await waitUntil(() => run(['PING']).then(() => true, isForbidden));
    return child;
  }

  async function run([name, ...rest]: [string, ...string[]]): Promise<unknown> {
    const connection = createProducerConnection(url, { enqueueTimeoutMs: 2000 });
    try {
      await connection.connect();
      return await connection.call(name, ...rest);
    } finally {
      endConnection(connection);
    }
  }

  async function kill(): Promise<void> {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, 'exit');
    server.kill('SIGKILL');
    await exited;
  }

  return {
    url,
    freeze: () => void server.kill('SIGSTOP'),
    thaw: () => void server.kill('SIGCONT'),
    kill,
    async restart() {
      await kill();
      server = await start();
    },
    run,
    async stop() {
      await kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

// It answers, and that is enough: an access list may forbid the question.
const isForbidden = (error: unknown) => error instanceof Error && /NOPERM|NOAUTH/.test(error.message);

/** A port of loopback that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
