import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { choosePort, findRedisServer, thisMachine } from '@landline/local-servers';
import { openQueues } from '@landline/queue';
import { onTestFinished, vi } from 'vitest';
import { jobSchema } from '../../packages/queue/test/support/job-schema.ts';

export interface RedisOptions {
  dir: string;
  appendfsync: 'always' | 'everysec';
  /** One that is free unless it is named. */
  port?: number;
  /** LD_PRELOAD and what the preloaded library reads. */
  env?: Readonly<Record<string, string>>;
}

/** A Redis of the test's own. */
export interface RedisUnderShim {
  url: string;
  /** SIGKILL; resolves when it is gone. */
  kill: () => Promise<void>;
}

/** Starts a Redis on what lies in `dir`, with `env` and nothing else; it ends with the test. */
export async function startRedisUnderShim(options: RedisOptions): Promise<RedisUnderShim> {
  const { dir, appendfsync, env = {}, port = await choosePort(0) } = options;
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

/** The bodies that wait in the queue. */
export async function queuedBodies(url: string): Promise<Set<string>> {
  return withQueue(url, async (queue) => {
    const jobs = await queue.getWaiting();
    return new Set(jobs.flatMap(({ data }) => jobSchema.parse(data).events).map(({ body }) => body));
  });
}

type EventQueue = ReturnType<typeof openQueues>['events'];

/** Works on the queue as soon as Redis answers. */
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
