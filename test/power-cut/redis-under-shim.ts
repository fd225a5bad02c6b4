import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { findRedisServer, thisMachine } from '@landline/local-servers';
import { openQueues } from '@landline/queue';
import { onTestFinished, vi } from 'vitest';
import { chooseQuietPort } from '../support/quiet-port.ts';
import { jobSchema } from '../../packages/queue/test/support/job-schema.ts';

export interface RedisOptions {
  dir: string;
  appendfsync: 'always' | 'everysec';
  /** The port; by default a free one. */
  port?: number;
  /** LD_PRELOAD and the variables of the preloaded library. */
  env?: Readonly<Record<string, string>>;
}

/** A Redis of one test. */
export interface RedisUnderShim {
  url: string;
  /** Sends SIGKILL; resolves when the process has ended. */
  kill: () => Promise<void>;
}

/** Starts a Redis on the data in `dir`, with only the variables of `env`. The Redis ends with the test. */
export async function startRedisUnderShim(options: RedisOptions): Promise<RedisUnderShim> {
  const { dir, appendfsync, env = {}, port = await chooseQuietPort() } = options;
  const program = await findRedisServer(thisMachine(process.env['PATH']));
  const settings = { port, bind: '127.0.0.1', dir, appendonly: 'yes', appendfsync, 'maxmemory-policy': 'noeviction' };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const server = spawn(program, [...args, '--save', ''], { env, stdio: 'ignore' });
  const exited = once(server, 'exit');
  const kill = async () => {
    server.kill('SIGKILL');
    await exited;
  };
  onTestFinished(kill);
  const url = `redis://127.0.0.1:${port}`;
  await withQueue(url, () => Promise.resolve());
  return { url, kill };
}

/** Returns the bodies in the queue's waiting jobs. */
export async function queuedBodies(url: string): Promise<Set<string>> {
  return withQueue(url, async (queue) => {
    const jobs = await queue.getWaiting();
    return new Set(jobs.flatMap(({ data }) => jobSchema.parse(data).events).map(({ body }) => body));
  });
}

type EventQueue = ReturnType<typeof openQueues>['events'];

/** Runs `work` on the queue once Redis answers. */
async function withQueue<T>(url: string, work: (queue: EventQueue) => Promise<T>): Promise<T> {
  const queues = openQueues({ redisUrl: url });
  try {
    const answers = () =>
      queues.ping().then(
        () => true,
        () => false,
      );
    await vi.waitUntil(answers, { timeout: 20_000, interval: 20 });
    return await work(queues.events);
  } finally {
    await queues.close();
  }
}
