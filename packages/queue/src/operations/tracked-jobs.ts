import type { Delivery } from '@landline/webhook';
import { openEventQueue } from '../jobs/open-queue.ts';
import { openSlowWriter } from '../jobs/slow-writer.ts';
import { askRedis } from '../redis/ask-redis.ts';
import { checkMemory } from '../redis/check-memory.ts';
import { createProducerConnection, endConnection, firstAttempt } from '../redis/connection.ts';
import { placeOf } from '../servers/place.ts';
import { shardPlaces, type QueueServers } from '../servers/shard-places.ts';

/** How long Redis may take to answer a question, in ms. */
const ANSWER_TIMEOUT_MS = 2000;

/** Share of Redis' memory up to which jobs are added. The rest is for events that are on their way. */
const ROOM_SHARE = 0.75;

/** How many jobs are remembered with their shards: far more than a replay follows at once. */
const MOST_PLACED = 10_000;

/** A job of events that is followed until it is done. */
export interface TrackedJob {
  /** Not a number, and without a colon. The same events may be written again under the same id. */
  id: string;
  events: readonly Delivery[];
  /** Of the bodies. */
  bytes: number;
}

/** Where a job is: it waits or runs (`pending`), rests in `failed`, or is not there: it is done, or Redis has lost it. */
export type JobState = 'pending' | 'failed' | 'gone';

/** Adds jobs to the webhook queue, and follows them. */
export interface TrackedJobs {
  /** Resolves when a shard has the job; one that a shard has already stays as it is. @throws QueueUnavailableError */
  add(job: TrackedJob): Promise<void>;
  /** Tells where jobs are that `add` has added. @throws QueueUnavailableError */
  states(ids: readonly string[]): Promise<JobState[]>;
  /** Takes back those of these jobs that no worker has begun; returns their ids. @throws QueueUnavailableError */
  takeBack(ids: readonly string[]): Promise<string[]>;
  /** Tells whether every shard has room for jobs beside the events that arrive. @throws QueueUnavailableError */
  hasRoom(): Promise<boolean>;
  close(): Promise<void>;
}

/** Opens all shards; connects with the first use. */
export function openTrackedJobs(servers: QueueServers): TrackedJobs {
  const shards = shardPlaces(servers).map(openShardJobs);
  /** The shard that has a job. */
  const placed = new Map<string, ShardJobs>();
  let turn = 0;

  function remember(id: string, shard: ShardJobs): void {
    placed.set(id, shard);
    // Not everybody asks for what was added.
    const [oldest] = placed.size > MOST_PLACED ? placed.keys() : [];
    if (oldest !== undefined) placed.delete(oldest);
  }

  return {
    async add(job) {
      turn = (turn + 1) % shards.length;
      let fault: unknown;
      for (const shard of [...shards.slice(turn), ...shards.slice(0, turn)]) {
        try {
          // oxlint-disable-next-line no-await-in-loop -- until one takes it
          await shard.add(job);
          remember(job.id, shard);
          return;
        } catch (error) {
          fault = error;
        }
      }
      throw fault;
    },
    async states(ids) {
      const states = await Promise.all(
        ids.map((id): Promise<JobState> => placed.get(id)?.state(id) ?? Promise.resolve('gone')),
      );
      for (const [i, state] of states.entries()) if (state === 'gone') placed.delete(ids[i] ?? '');
      return states;
    },
    async takeBack(ids) {
      const taken = await Promise.all(
        ids.map((id): Promise<boolean> => placed.get(id)?.takeBack(id) ?? Promise.resolve(false)),
      );
      return ids.filter((_, i) => taken[i]);
    },
    hasRoom: async () => (await Promise.all(shards.map((shard) => shard.hasRoom()))).every(Boolean),
    close: async () => void (await Promise.all(shards.map((shard) => shard.close()))),
  };
}

interface ShardJobs {
  add(job: TrackedJob): Promise<void>;
  state(id: string): Promise<JobState>;
  takeBack(id: string): Promise<boolean>;
  hasRoom(): Promise<boolean>;
  close(): Promise<void>;
}

function openShardJobs(place: ReturnType<typeof shardPlaces>[number]): ShardJobs {
  const { redisUrl, ...rest } = placeOf(place);
  const writer = openSlowWriter(place);
  const connection = createProducerConnection(redisUrl, { ...rest, enqueueTimeoutMs: ANSWER_TIMEOUT_MS });
  const queue = openEventQueue(connection, place.prefix);
  let connected: Promise<void> | undefined;
  const ask = <T>(question: () => Promise<T>) => {
    connected ??= firstAttempt(connection);
    return askRedis(connected, 'Redis does not tell what became of jobs.', question);
  };
  return {
    add: (job) => writer.write(job),
    state: (id) =>
      ask(async () => {
        const [exists, failedAt] = await Promise.all([
          connection.exists(queue.toKey(id)),
          connection.zscore(queue.toKey('failed'), id),
        ]);
        if (exists === 0) return 'gone';
        return failedAt === null ? 'pending' : 'failed';
      }),
    takeBack: (id) =>
      ask(async () => {
        // To BullMQ a job that is not there is removed as well. One after the other on one connection, so nothing comes between the two.
        const [exists, removed] = await Promise.all([connection.exists(queue.toKey(id)), queue.remove(id)]);
        return exists === 1 && removed === 1;
      }),
    hasRoom: () =>
      ask(async () => {
        const memory = await checkMemory(connection);
        return memory === undefined || memory.usedBytes < memory.maxBytes * ROOM_SHARE;
      }),
    async close() {
      await Promise.all([writer.close(), queue.close()]);
      endConnection(connection);
    },
  };
}
