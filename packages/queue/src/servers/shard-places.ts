import { placeOf, type Place } from './place.ts';
import { readRedisUrl } from './redis-address.ts';

/** The largest number of shards. Workers look for old shards by number, up to this. */
export const MAX_SHARDS = 64;

/** Where all shards are, as the variables say. */
export interface QueueServers extends Place {
  /** How many shards new jobs are spread over (`QUEUE_SHARDS`); by default one for each server, and one for a Cluster or Sentinels. */
  queueShards?: number | undefined;
}

/** A place with its prefix. */
export type NamedPlace = Place & { prefix: string };

/**
 * Returns the places of all shards, at least one. Shard `n` lies on server `n` modulo the number of servers.
 *
 * A single shard has the prefix as it is, `{landline}`. One of several has its number in the hash tag, `{landline:0}`: so the shards of a
 * Cluster lie in different slots. @throws Error where REDIS_URL cannot be read
 */
export function shardPlaces({ queueShards, ...options }: QueueServers): [NamedPlace, ...NamedPlace[]] {
  const { prefix, ...place } = placeOf(options);
  const [first, ...others] = serverUrls(options.redisUrl);
  const urls = [first, ...others];
  const count = queueShards ?? urls.length;
  const at = (shard: number): NamedPlace => ({
    ...place,
    redisUrl: urls[shard % urls.length] ?? first,
    prefix: count === 1 ? prefix : shardPrefix(prefix, shard),
  });
  return [at(0), ...Array.from({ length: count - 1 }, (_, i) => at(i + 1))];
}

/** Returns the URL of each server of REDIS_URL; Sentinels and a Cluster are one. @throws Error where REDIS_URL cannot be read */
export function serverUrls(redisUrl: string): [string, ...string[]] {
  const read = readRedisUrl(redisUrl);
  if ('fault' in read) throw new Error(read.fault);
  const [first = redisUrl, ...others] = read.addresses.map((address) =>
    address.kind === 'server' ? address.url : redisUrl,
  );
  return [first, ...others];
}

/** Puts a shard's number into the hash tag. */
export function shardPrefix(prefix: string, shard: number): string {
  return prefix.endsWith('}') ? `${prefix.slice(0, -1)}:${shard}}` : `${prefix}:${shard}`;
}
