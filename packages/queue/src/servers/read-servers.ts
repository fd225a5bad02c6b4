import { QUEUE_PREFIX } from '../names.ts';
import { readSlots } from './find-master.ts';
import { keySlot } from './key-slot.ts';
import { readRedisUrl, type RedisAddress } from './redis-address.ts';
import { MAX_SHARDS, shardPrefix, type QueueServers } from './shard-places.ts';

/** The values of `queueVariables`. */
export interface QueueConfig {
  REDIS_URL: string;
  REDIS_CA?: string | undefined;
  QUEUE_SHARDS?: number | undefined;
}

/**
 * Returns where the queues are. Where QUEUE_SHARDS is not set, it asks a Cluster for its masters, within a second, and takes as many shards
 * as it needs for each master to have one. While the Cluster does not answer, it takes one for each host that REDIS_URL names. Processes
 * that disagree do no harm: workers find every shard that holds jobs.
 */
export async function readQueueServers({ REDIS_URL, REDIS_CA, QUEUE_SHARDS }: QueueConfig): Promise<QueueServers> {
  const servers = { redisUrl: REDIS_URL, redisCa: REDIS_CA, queueShards: QUEUE_SHARDS };
  if (QUEUE_SHARDS !== undefined) return servers;
  const read = readRedisUrl(REDIS_URL);
  const address = 'addresses' in read ? read.addresses[0] : undefined;
  if (address?.kind !== 'cluster') return servers;
  return { ...servers, queueShards: await shardsFor(address, REDIS_CA) };
}

async function shardsFor(address: Extract<RedisAddress, { kind: 'cluster' }>, redisCa?: string): Promise<number> {
  const tls = redisCa === undefined ? {} : { ca: redisCa };
  try {
    const ranges = await readSlots(address, address.isTls ? tls : undefined);
    return shardsToCover(
      ranges.map(({ first, last, master }) => ({ first, last, master: `${master.host}:${master.port}` })),
    );
  } catch {
    return Math.min(address.hosts.length, MAX_SHARDS);
  }
}

/** Returns the least number of shards with which each master has one, at most `MAX_SHARDS`. */
export function shardsToCover(ranges: readonly { first: number; last: number; master: string }[]): number {
  const masters = new Set(ranges.map(({ master }) => master));
  // A single shard has another prefix.
  if (masters.size <= 1) return 1;
  const covered = new Set<string>();
  for (let shard = 0; shard < MAX_SHARDS; shard++) {
    const slot = keySlot(shardPrefix(QUEUE_PREFIX, shard));
    const range = ranges.find(({ first, last }) => first <= slot && slot <= last);
    if (range !== undefined) covered.add(range.master);
    if (covered.size === masters.size) return shard + 1;
  }
  return MAX_SHARDS;
}
