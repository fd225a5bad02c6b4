import { QUEUE_PREFIX } from '../names.ts';

/** Where the queues of one shard are. */
export interface Place {
  /** One server, the Sentinels of one master, or a Cluster: see `readRedisUrl`. */
  redisUrl: string;
  /** PEM of the authorities that may have signed the certificates of Redis; undefined: those that Node knows. */
  redisCa?: string | undefined;
  /** Leads every key, and has the hash tag that keeps them in one slot of a Cluster; `{landline}` by default. */
  prefix?: string | undefined;
}

/** Returns the part of `options` that says where a shard is, with its prefix. */
export function placeOf({ redisUrl, redisCa, prefix = QUEUE_PREFIX }: Place): Place & { prefix: string } {
  return { redisUrl, prefix, ...(redisCa !== undefined && { redisCa }) };
}
