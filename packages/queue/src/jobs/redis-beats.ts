import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { readInfo } from '../redis/read-info.ts';
import { readRedoRequests, type RedoRequest } from '../redis/redo-requests.ts';
import { oldestJobAt } from './oldest-job.ts';

/** How long Redis keeps the last beat of a process, in seconds. After that it counts as lost, which does no harm. */
const KEPT_SECONDS = 7 * 24 * 3600;

/** What a process leaves in Redis and reads there, to notice what Redis loses. Every method rejects when Redis does not answer. */
export interface RedisBeats {
  /** Leads the keys of this Redis's beats. */
  readonly keyPrefix: string;
  /** Returns which Redis answers. It changes at a restart and a promotion; where Redis does not say, at every connection. */
  identity(): Promise<string>;
  /** Reads a beat, in unix ms; undefined where Redis has none. */
  read(key: string): Promise<number | undefined>;
  /** Replaces the last beat, and returns it. */
  leave(key: string, at: number): Promise<number | undefined>;
  /** Returns when the oldest job that is not done was enqueued; see `oldestJobAt`. */
  oldestJobAt(): Promise<number | undefined>;
  /** Reads what workers ask the journals to enqueue again, because Postgres has lost it; oldest first. */
  redoRequests(): Promise<RedoRequest[]>;
}

/** Opens the beats of one Redis. */
export function openRedisBeats(connection: Redis, queue: Queue<unknown>, prefix: string): RedisBeats {
  let connections = 0;
  connection.on('ready', () => connections++);
  return {
    keyPrefix: `${prefix}:beat:`,
    async identity() {
      const server = await readInfo(connection, 'server');
      const replication = await readInfo(connection, 'replication');
      const id = [server.get('run_id'), replication.get('master_replid')].filter((each) => each !== undefined);
      return id.length > 0 ? id.join(' ') : `connection ${connections}`;
    },
    read: async (key) => timeOf(await connection.get(key)),
    async leave(key, at) {
      const before = await connection.getset(key, at);
      // The beat is written. The next beat tries again to set how long Redis keeps it.
      await connection.expire(key, KEPT_SECONDS).catch(() => undefined);
      return timeOf(before);
    },
    oldestJobAt: () => oldestJobAt(connection, queue),
    redoRequests: () => readRedoRequests(connection, prefix),
  };
}

function timeOf(found: string | null): number | undefined {
  return found === null ? undefined : Number(found);
}
