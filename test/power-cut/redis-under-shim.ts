import { startRedis } from '@landline/local-servers';
import { openQueues, jobSchema } from '@landline/queue';
import { onTestFinished, vi } from 'vitest';

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

/** Starts a Redis on what lies in `dir`; it ends with the test. */
export async function startRedisUnderShim({
  appendfsync,
  port = 0,
  ...options
}: RedisOptions): Promise<RedisUnderShim> {
  const args = ['--appendfsync', appendfsync];
  const searchPath = process.env['PATH'];
  const { url, pid, exited } = await startRedis({ ...options, port, args, searchPath, endsWithUs: true });
  let isOver = false;
  void exited.then(() => (isOver = true));
  const kill = async () => {
    if (!isOver) process.kill(pid, 'SIGKILL');
    await exited;
  };
  onTestFinished(kill);
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
