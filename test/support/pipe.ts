import { openQueues, readQueueServers, shardPlaces, type OpenQueues } from '@landline/queue';
import type { Delivery } from '@landline/webhook';
import { inject, vi } from 'vitest';
import { startApp, untilReady, type AppProcess } from './app-process.ts';
import { createDatabase } from './database.ts';
import { SECRET } from './post.ts';
import { startPrivateRedis, type PrivateRedis } from './private-redis.ts';
import { runSql } from './run-sql.ts';
import { scrape } from './scrape.ts';
import { jobSchema } from '../../packages/queue/test/support/job-schema.ts';

/** How many jobs both queues have in each state but completed; completed jobs are removed. */
export interface PipeCounts {
  /** webhook-events: waiting, active, delayed or failed. */
  events: number;
  /** webhook-dead-letter: waiting, active or delayed. */
  unsettled: number;
  /** webhook-dead-letter: failed. */
  dead: number;
}

/** The Redis of a pipe: one server, or several that REDIS_URL names. */
export type PipeRedis = Pick<PrivateRedis, 'url' | 'remove'>;

/** The whole way of an event: a receiver, a Redis and a database of the test, and the workers that it starts. */
export interface Pipe {
  redis: PipeRedis;
  databaseUrl: string;
  receiver: AppProcess;
  /** Those of the first shard, which is the only one unless Redis is several. */
  queues: OpenQueues;
  /** Those of every shard. */
  shards: readonly OpenQueues[];
  /** `env`: variables beside those of the servers. */
  startWorker: (env?: Readonly<Record<string, string>>) => Promise<AppProcess>;
  sql: (statement: string) => Promise<Record<string, unknown>[]>;
  counts: () => Promise<PipeCounts>;
  /** Waits until the jobs in a paused queue hold this many events in all. Resolves with the events of each job, oldest job first. */
  untilQueued: (events: number) => Promise<Delivery[][]>;
  /** Resolves when no body waits in the spool, and no job waits or runs in either queue; fails after `timeoutMs`. */
  untilIdle: (limit?: { timeoutMs: number }) => Promise<PipeCounts>;
  /** Stops everything that the pipe has started. */
  stop: () => Promise<void>;
}

/**
 * Starts the pipe up to the queue; `env` is for the receiver. Workers take jobs from `startWorker` on. `startRedis` starts one server by
 * default.
 */
export async function startPipe(
  env: Readonly<Record<string, string>> = {},
  startRedis: () => Promise<PipeRedis> = startPrivateRedis,
): Promise<Pipe> {
  const redis = await startRedis();
  const database = await createDatabase(inject('databaseUrl'));
  const receiver = await startApp('receiver', {
    env: { ELEVENLABS_WEBHOOK_SECRET: SECRET, REDIS_URL: redis.url, ...env },
  });
  const [first, ...others] = shardPlaces(await readQueueServers({ REDIS_URL: redis.url }));
  const queues = openQueues(first);
  const shards = [queues, ...others.map((place) => openQueues(place))];
  await Promise.all([untilReady(receiver), ...shards.map((shard) => shard.ping())]);
  const workers: AppProcess[] = [];

  async function counts(): Promise<PipeCounts> {
    const each = await Promise.all(shards.map(countsOf));
    const total = (of: keyof PipeCounts) => each.reduce((all, counted) => all + counted[of], 0);
    return { events: total('events'), unsettled: total('unsettled'), dead: total('dead') };
  }

  async function spooledBodies(): Promise<number> {
    if (!receiver.isRunning()) return 0;
    return (await scrape(receiver.healthUrl)).samples['landline_spool_files'] ?? 0;
  }

  return {
    redis,
    databaseUrl: database.url,
    receiver,
    queues,
    shards,
    async startWorker(more = {}) {
      const worker = await startApp('worker', { env: { DATABASE_URL: database.url, REDIS_URL: redis.url, ...more } });
      workers.push(worker);
      return worker;
    },
    sql: (statement) => runSql(database.directUrl, statement),
    counts,
    untilQueued: (wanted) =>
      vi.waitUntil(
        async () => {
          const jobs = await queues.events.getWaiting();
          const events = jobs.map(({ data }) => jobSchema.parse(data).events);
          return events.flat().length >= wanted && events;
        },
        { timeout: 20_000, interval: 20 },
      ),
    untilIdle: ({ timeoutMs } = { timeoutMs: 20_000 }) =>
      vi.waitUntil(
        async () => {
          // First the spool: a body that leaves it meanwhile is in the queue.
          const spooled = await spooledBodies();
          const now = await counts();
          return spooled + now.events + now.unsettled === 0 && now;
        },
        { timeout: timeoutMs, interval: 20 },
      ),
    async stop() {
      await Promise.all([receiver, ...workers].filter((app) => app.isRunning()).map((app) => app.stop()));
      await Promise.all(shards.map((shard) => shard.close()));
      await Promise.all([redis.remove(), database.drop()]);
    },
  };
}

/** Counts the jobs of one shard. */
async function countsOf({ events: queue, deadLetters }: OpenQueues): Promise<PipeCounts> {
  const [events, letters] = await Promise.all(
    [queue, deadLetters].map((each) => each.getJobCounts('wait', 'prioritized', 'active', 'delayed', 'failed')),
  );
  const { failed = 0, ...unsettled } = letters ?? {};
  return { events: sum(events ?? {}), unsettled: sum(unsettled), dead: failed };
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
